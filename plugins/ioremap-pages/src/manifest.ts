import { defineManifest } from '@tablewalk/contracts';
import { vmallocDeps } from '@tablewalk/vmalloc';
import { z } from 'zod';
import { pages } from './pages.ts';

export const manifest = defineManifest({
  id: 'ioremap-pages',
  slot: 'ioremap',
  version: '1.0.0',
  summary: 'Device mappings by pages in tables that all address spaces share: right on any number of CPUs.',
  source: 'Linux arch/arm/mm/ioremap.c with CONFIG_SMP; spec/ioremap.md 1 and 2.2',
  requires: ['page-table', 'cache', 'shootdown'],
  needs: [
    { slot: 'page-table', facet: 'vmalloc', why: 'it maps device memory above the direct mapping' },
    { slot: 'shootdown', facet: 'kernel-ranges', why: 'kernel entries are global, and in every TLB' },
  ],
  config: z.strictObject({}),
  create: (_config, deps) => pages(vmallocDeps(deps)),
});
