import { invalidateTlb, maintenance } from '@tablewalk/architecture';
import { untranslated } from '@tablewalk/arena';
import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';

/**
 * No TLB, for studies of caches alone: references reach the caches under the address that they have. What is
 * mapped, and what is permitted, nobody asks; so only a page table that maps every address to itself goes with it.
 */
export const manifest = defineManifest({
  id: 'tlb-none',
  slot: 'tlb',
  version: '1.0.0',
  summary: 'No translation: physical addresses are the virtual ones; for studies of caches alone.',
  source: 'Dinero IV, drcachesim, pycachesim: caches fed with the addresses of a trace',
  requires: [],
  facets: ['exact'],
  companions: { 'page-table': 'page-table-identity', pgd: 'pgd-none' },
  needs: [{ slot: 'page-table', facet: 'no-tables', why: 'without a TLB nothing is ever walked' }],
  config: z.strictObject({}),
  create: (_config, _deps, { cpus }) => ({
    component: maintenance,
    invalidate: invalidateTlb,
    engine: () => untranslated(cpus),
  }),
});
