import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { roundRobin } from './round-robin.ts';

export const manifest = defineManifest({
  id: 'replacement-round-robin',
  slot: 'replacement',
  version: '1.0.0',
  summary: 'A pointer that every fill moves on.',
  source: 'ARM926EJ-S TRM DDI 0198E; cyclic replacement',
  requires: [],
  config: z.strictObject({
    pointer: z
      .enum(['set', 'table'])
      .default('set')
      .describe('a pointer for each set, or one for the whole table'),
  }),
  create: (config) => ({ policy: roundRobin(config) }),
});
