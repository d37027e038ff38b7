import { present } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { armClassic } from './arm-classic.ts';

export const manifest = defineManifest({
  id: 'pgd-arm-classic',
  slot: 'pgd',
  version: '1.0.0',
  summary: "Two levels: the kernel's entries are copied at creation, and later by faults.",
  source: 'Linux 2.6.39 arch/arm/mm/pgd.c, arch/arm/mm/fault.c; spec/page-tables.md 3',
  requires: ['frames', 'page-table'],
  needs: [
    {
      slot: 'page-table',
      facet: 'pgd-folded',
      why: 'it knows of two levels: it copies, clears and frees no pages of pmds',
    },
  ],
  config: z.strictObject({
    checkHalf: z
      .enum(['needed', 'first'])
      .default('needed')
      .describe('word of a pair that says whether init_mm has the address; "first" is wrong (PT-1)'),
    freeEntryZero: z
      .enum(['always', 'if-low-vectors'])
      .default('always')
      .describe('when pgd_free gives back the table at address 0; "if-low-vectors" leaks it (PT-2)'),
    faultLock: z
      .boolean()
      .default(false)
      .describe("a translation fault takes init_mm's page_table_lock, which is wrong (PT-6)"),
  }),
  create(config, slots) {
    const { pgd, taskSize } = slots['page-table'];
    return armClassic(config, slots.frames, present(pgd, 'first-level tables of the format'), taskSize);
  },
});
