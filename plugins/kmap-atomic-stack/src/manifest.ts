import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { kmapAtomicStack } from './atomic-stack.ts';

export const manifest = defineManifest({
  id: 'kmap-atomic-stack',
  slot: 'kmap',
  version: '1.0.0',
  summary:
    'kmap_atomic: the next slot of a stack of the CPU, so that interrupt handlers nest without a km_type.',
  source: 'Linux commits 3e4d3af501cc and 20273941f212 (2.6.37), arch/arm/mm/highmem.c; spec/kmap.md 4',
  requires: ['cache', 'tlb'],
  config: z.strictObject({
    types: z.number().int().min(1).max(64).default(16).describe('KM_TYPE_NR: depth of the stack of each CPU'),
    base: z
      .number()
      .int()
      .min(0)
      .multipleOf(4096)
      .default(0xfff0_0000)
      .describe('address of slot 0 (FIXADDR_START)'),
    pop: z
      .enum(['last', 'first'])
      .default('last')
      .describe('when kunmap_atomic gives its index back; first: as before commit 20273941f212'),
    debugHighmem: z
      .boolean()
      .default(false)
      .describe('CONFIG_DEBUG_HIGHMEM: unmap clears the entry and flushes the TLB; else both stay'),
  }),
  create: (config, { cache, tlb }, { cpus }) => kmapAtomicStack(config, cpus, cache, tlb),
});
