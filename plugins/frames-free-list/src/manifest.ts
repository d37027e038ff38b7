import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { freeListFrames } from './free-list.ts';

export const manifest = defineManifest({
  id: 'frames-free-list',
  slot: 'frames',
  version: '1.0.0',
  summary: 'Free list, last freed first out; pages never used come scattered by the seed.',
  source: 'Linux mm/page_alloc.c: per-CPU page lists are stacks',
  requires: [],
  config: z.strictObject({
    order: z.enum(['scattered', 'ascending']).default('scattered').describe('order of pages never used'),
    blockShare: z
      .number()
      .positive()
      .max(0.5)
      .default(1 / 8)
      .describe('share of RAM kept for blocks of several pages'),
  }),
  create: (config, _deps, machine) => freeListFrames(config, machine),
});
