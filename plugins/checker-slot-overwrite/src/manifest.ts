import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ID, slotOverwrite } from './slot-overwrite.ts';

export const manifest = defineManifest({
  id: ID,
  slot: 'checker',
  version: '1.0.0',
  summary: 'No kmap slot is mapped to another page before its user has unmapped it.',
  source: 'Mauerer, Professional Linux Kernel Architecture, 3.5.8; spec/kmap.md 4.1',
  requires: [],
  config: z.strictObject({}),
  create: () => slotOverwrite,
});
