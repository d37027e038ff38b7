import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ID, staleTranslation } from './stale-translation.ts';

export const manifest = defineManifest({
  id: ID,
  slot: 'checker',
  version: '1.0.0',
  summary: 'No translation is used once the routine that removed it has finished.',
  source: 'include/asm-generic/tlb.h; spec/mmu-gather.md INV-3',
  requires: [],
  config: z.strictObject({}),
  create: () => staleTranslation,
});
