import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ID, tablePageLeak } from './table-page-leak.ts';

export const manifest = defineManifest({
  id: ID,
  slot: 'checker',
  version: '1.0.0',
  summary: 'Every page of tables that an address space got is given back, once.',
  source: 'spec/page-tables.md 5.8, L4; 3.2, PT-2: the table at address 0',
  requires: [],
  config: z.strictObject({}),
  create: () => tablePageLeak,
});
