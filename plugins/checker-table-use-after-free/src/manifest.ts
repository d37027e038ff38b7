import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ID, tableUseAfterFree } from './table-use-after-free.ts';

export const manifest = defineManifest({
  id: ID,
  slot: 'checker',
  version: '1.0.0',
  summary: 'No page of tables is freed that init_mm uses, and no walker reads one that was freed.',
  source: 'spec/page-tables.md 3.4, G2; 5.6, PT-3: the dying pgd',
  requires: [],
  config: z.strictObject({}),
  create: () => tableUseAfterFree,
});
