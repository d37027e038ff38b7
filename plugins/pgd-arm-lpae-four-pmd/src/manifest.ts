import { present } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { fourPmd } from './four-pmd.ts';

export const manifest = defineManifest({
  id: 'pgd-arm-lpae-four-pmd',
  slot: 'pgd',
  version: '1.0.0',
  summary:
    'LPAE, option D: a pgd and four pages of pmds for every address space, as if there were two levels.',
  source: 'Catalin Marinas, linux-arm-kernel, 3 February 2011; spec/page-tables.md 5.4',
  requires: ['frames', 'page-table'],
  needs: [
    { slot: 'page-table', facet: 'pgd-lpae', why: 'it allocates pages of pmds behind entries of 1 GiB' },
  ],
  config: z.strictObject({}),
  create(_config, slots) {
    const { pgd, taskSize } = slots['page-table'];
    return fourPmd(slots.frames, present(pgd, 'first-level tables of the format'), taskSize);
  },
});
