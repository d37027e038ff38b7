import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ID, useAfterFree } from './use-after-free.ts';

export const manifest = defineManifest({
  id: ID,
  slot: 'checker',
  version: '1.0.0',
  summary: 'No CPU reaches a page after it went back to the allocator.',
  source: 'Linux commit 06824ba824b3, ARM: tlb: delay page freeing for SMP and ARMv7 CPUs',
  requires: [],
  config: z.strictObject({}),
  create: () => useAfterFree,
});
