import { defineManifest } from '@tablewalk/contracts';
import { vmallocDeps } from '@tablewalk/vmalloc';
import { z } from 'zod';
import { sectionsVmallocSeq } from './sections-vmalloc-seq.ts';

export const manifest = defineManifest({
  id: 'ioremap-sections-vmalloc-seq',
  slot: 'ioremap',
  version: '1.0.0',
  summary: 'Device mappings by sections; other tables catch up at the next switch: right on one CPU only.',
  source: 'Linux 2.6.39 arch/arm/mm/ioremap.c without CONFIG_SMP; spec/ioremap.md 2',
  requires: ['page-table', 'cache', 'shootdown', 'frames'],
  needs: [
    { slot: 'page-table', facet: 'vmalloc', why: 'it maps device memory above the direct mapping' },
    { slot: 'shootdown', facet: 'kernel-ranges', why: 'kernel entries are global, and in every TLB' },
  ],
  config: z.strictObject({
    allowSmp: z
      .boolean()
      .default(false)
      .describe('take more than one CPU, which Linux refuses: wrong (spec/ioremap.md, 3)'),
  }),
  refuses: ({ allowSmp }, { cpus }) =>
    cpus > 1 && !allowSmp
      ? 'sections are compiled out on SMP: the sequence reaches no running CPU'
      : undefined,
  create: (_config, deps) => sectionsVmallocSeq(deps.frames, vmallocDeps(deps)),
});
