import { defineManifest } from '@tablewalk/contracts';
import type { PgdPlugin } from '@tablewalk/contracts';
import { z } from 'zod';

/** Nothing to allocate, to copy or to free: every address space is translated alike. */
const nothing: PgdPlugin = {
  *allocate() {
    return true;
  },
  *freePgtables() {
    return [];
  },
  *free() {},
  *translationFault() {
    return false;
  },
};

export const manifest = defineManifest({
  id: 'pgd-none',
  slot: 'pgd',
  version: '1.0.0',
  summary: 'No first-level tables: for a format that translates without any.',
  source: 'none: it stands for the absence of tables',
  requires: [],
  needs: [
    { slot: 'page-table', facet: 'no-tables', why: 'it gives an address space no first level to be walked' },
  ],
  config: z.strictObject({}),
  create: () => nothing,
});
