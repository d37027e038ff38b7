import { present } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { v4 } from './v4.ts';

export const manifest = defineManifest({
  id: 'pgd-arm-lpae-v4',
  slot: 'pgd',
  version: '1.0.0',
  summary: 'LPAE as proposed in patch v4: pgd_free leaks the page of ptes at address 0.',
  source: 'Catalin Marinas, Russell King, linux-arm-kernel, "[PATCH v4 09/19] ARM: LPAE", 3 February 2011',
  requires: ['frames', 'page-table'],
  needs: [
    { slot: 'page-table', facet: 'pgd-lpae', why: 'it allocates pages of pmds behind entries of 1 GiB' },
  ],
  facets: ['identity-map'],
  config: z.strictObject({}),
  create(_config, slots) {
    const { pgd, taskSize } = slots['page-table'];
    return v4(slots.frames, present(pgd, 'first-level tables of the format'), taskSize);
  },
});
