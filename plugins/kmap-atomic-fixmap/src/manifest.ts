import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { kmapAtomicFixmap } from './atomic-fixmap.ts';

export const manifest = defineManifest({
  id: 'kmap-atomic-fixmap',
  slot: 'kmap',
  version: '1.0.0',
  summary:
    'kmap_atomic: a fixmap slot by km_type and CPU, held without preemption; the holder must not sleep.',
  source: 'Linux arch/arm/mm/highmem.c, kmap_atomic of 2.6.36; spec/kmap.md 4',
  requires: ['cache', 'tlb'],
  config: z.strictObject({
    types: z.number().int().min(1).max(64).default(16).describe('KM_TYPE_NR: slots of each CPU'),
    base: z
      .number()
      .int()
      .min(0)
      .multipleOf(4096)
      .default(0xfff0_0000)
      .describe('address of slot 0 (FIXADDR_START)'),
    disablePreemption: z
      .boolean()
      .default(true)
      .describe('pagefault_disable raises preempt_count; false: another task may take the slot'),
    debugHighmem: z
      .boolean()
      .default(false)
      .describe('CONFIG_DEBUG_HIGHMEM: unmap clears the entry and flushes the TLB; else both stay'),
  }),
  create: (config, { cache, tlb }, { cpus }) => kmapAtomicFixmap(config, cpus, cache, tlb),
});
