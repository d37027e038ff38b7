import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { immediateGather } from './immediate.ts';

export const manifest = defineManifest({
  id: 'mmu-gather-immediate',
  slot: 'mmu-gather',
  version: '1.0.0',
  summary: 'Pages are freed before the TLBs are flushed, as on ARM before February 2011: wrong on SMP.',
  source: 'Linux before commit 06824ba824b3, ARM: tlb: delay page freeing for SMP and ARMv7 CPUs',
  requires: ['frames', 'page-table', 'cache', 'shootdown'],
  config: z.strictObject({
    rangeCeiling: z.number().int().min(1).default(512).describe('pages beyond which the whole mm is flushed'),
  }),
  create: (config, deps) =>
    immediateGather(config, {
      frames: deps.frames,
      pageTable: deps['page-table'],
      cache: deps.cache,
      shootdown: deps.shootdown,
    }),
});
