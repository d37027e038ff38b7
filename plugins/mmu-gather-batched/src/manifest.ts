import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { batchedGather } from './batched.ts';

export const manifest = defineManifest({
  id: 'mmu-gather-batched',
  slot: 'mmu-gather',
  version: '1.0.0',
  summary: 'Pages wait until the TLBs have been flushed, then they are freed: the right order.',
  source: 'Linux commit d16dfc550f53, mm: mmu_gather rework (3.0); arch/arm/include/asm/tlb.h',
  requires: ['frames', 'page-table', 'cache', 'shootdown'],
  config: z.strictObject({
    bundle: z.number().int().min(1).default(8).describe('pages that wait for one flush (MMU_GATHER_BUNDLE)'),
    rangeCeiling: z.number().int().min(1).default(512).describe('pages beyond which the whole mm is flushed'),
  }),
  create: (config, deps) =>
    batchedGather(config, {
      frames: deps.frames,
      pageTable: deps['page-table'],
      cache: deps.cache,
      shootdown: deps.shootdown,
    }),
});
