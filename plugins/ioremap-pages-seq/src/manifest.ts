import { defineManifest } from '@tablewalk/contracts';
import { vmallocDeps } from '@tablewalk/vmalloc';
import { z } from 'zod';
import { pagesSeq } from './pages-seq.ts';

export const manifest = defineManifest({
  id: 'ioremap-pages-seq',
  slot: 'ioremap',
  version: '1.0.0',
  summary:
    'Mappings by pages whose new first-level words are counted: tables that are behind catch up in switches.',
  source: 'Linux 5.18 arch/arm/mm/ioremap.c with CONFIG_VMAP_STACK, mm/vmalloc.c; spec/ioremap.md 4',
  requires: ['page-table', 'cache', 'shootdown'],
  needs: [
    { slot: 'page-table', facet: 'vmalloc', why: 'it maps device memory above the direct mapping' },
    { slot: 'shootdown', facet: 'kernel-ranges', why: 'kernel entries are global, and in every TLB' },
  ],
  config: z.strictObject({
    order: z
      .enum(['acquire', 'relaxed'])
      .default('acquire')
      .describe('how the number is read before words are copied; "relaxed" is wrong (HB-15)'),
    syncOnError: z
      .boolean()
      .default(true)
      .describe('a mapping that fails counts the words that it has added; without: wrong (HB-13)'),
  }),
  create: (config, deps) => pagesSeq(config, vmallocDeps(deps)),
});
