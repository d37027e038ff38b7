import { present } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { sharedPmd } from './shared-pmd.ts';

export const manifest = defineManifest({
  id: 'pgd-arm-lpae-shared-pmd',
  slot: 'pgd',
  version: '1.0.0',
  summary: "LPAE, option B: the GiB of modules has init_mm's page of pmds in every address space.",
  source: 'Russell King, linux-arm-kernel, 3 February 2011; spec/page-tables.md 5.4',
  requires: ['frames', 'page-table'],
  needs: [
    { slot: 'page-table', facet: 'pgd-lpae', why: 'it copies entries of 1 GiB with their pages of pmds' },
  ],
  config: z.strictObject({}),
  create(_config, slots) {
    const { pgd, taskSize } = slots['page-table'];
    return sharedPmd(slots.frames, present(pgd, 'first-level tables of the format'), taskSize);
  },
});
