import { defineManifest } from '@tablewalk/contracts';
import { vmallocDeps } from '@tablewalk/vmalloc';
import { z } from 'zod';
import { sectionsIpi } from './sections-ipi.ts';

export const manifest = defineManifest({
  id: 'ioremap-sections-ipi',
  slot: 'ioremap',
  version: '1.0.0',
  summary: 'Device mappings by sections on SMP: an IPI makes every CPU bring its tables up to date.',
  source: 'Nicolas Pitre, linux-arm-kernel, 1 October 2013 (proposed, never implemented); spec/ioremap.md 3',
  requires: ['page-table', 'cache', 'shootdown', 'frames', 'tlb'],
  needs: [
    { slot: 'page-table', facet: 'vmalloc', why: 'it maps device memory above the direct mapping' },
    { slot: 'shootdown', facet: 'kernel-ranges', why: 'kernel entries are global, and in every TLB' },
  ],
  config: z.strictObject({
    switchMasksIrqs: z
      .boolean()
      .default(true)
      .describe('a task switch keeps IRQs off from the check to the load of TTBR0; without: wrong'),
    waitForAcks: z
      .boolean()
      .default(true)
      .describe('iounmap waits for every CPU before the range may be used again; without: wrong'),
  }),
  create: (config, deps, { cpus }) => sectionsIpi(config, cpus, deps, vmallocDeps(deps)),
});
