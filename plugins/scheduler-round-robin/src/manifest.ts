import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { roundRobinScheduler } from './round-robin.ts';

export const manifest = defineManifest({
  id: 'scheduler-round-robin',
  slot: 'scheduler',
  version: '1.0.0',
  summary: 'Every CPU in turn, one step each.',
  source: 'the textbook round robin',
  requires: [],
  config: z.strictObject({
    references: z.number().int().min(1).default(64).describe('references of a turn in user mode'),
  }),
  create: ({ references }) => roundRobinScheduler(references),
});
