import { present } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { merged } from './merged.ts';

export const manifest = defineManifest({
  id: 'pgd-arm-lpae-merged',
  slot: 'pgd',
  version: '1.0.0',
  summary: 'LPAE as merged: a page of pmds of its own for modules in every address space, and L_PGD_SWAPPER.',
  source: 'Linux 3.3 and 3.10 arch/arm/mm/pgd.c, idmap.c; spec/page-tables.md 5.5, 5.6',
  requires: ['frames', 'page-table'],
  needs: [
    { slot: 'page-table', facet: 'pgd-lpae', why: 'it allocates pages of pmds behind entries of 1 GiB' },
  ],
  facets: ['identity-map'],
  config: z.strictObject({
    ceiling: z
      .boolean()
      .default(true)
      .describe('USER_PGTABLES_CEILING is TASK_SIZE (3.10); false: none (3.3), wrong (HB-21)'),
    swapperFlag: z
      .boolean()
      .default(true)
      .describe('pgd_free spares entries with L_PGD_SWAPPER; false: it does not look, wrong (HB-21)'),
    idmap: z
      .enum(['copy', 'empty', 'through'])
      .default('copy')
      .describe(
        'an identity map in the kernel\'s GiB keeps what is there; "empty" loses, "through" writes it: wrong (HB-23)',
      ),
  }),
  create(config, slots) {
    const { pgd, taskSize } = slots['page-table'];
    return merged(config, slots.frames, present(pgd, 'first-level tables of the format'), taskSize);
  },
});
