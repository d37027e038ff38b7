import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { randomScheduler } from './random.ts';

export const manifest = defineManifest({
  id: 'scheduler-random',
  slot: 'scheduler',
  version: '1.0.0',
  summary: 'Any enabled alternative, drawn from the seed.',
  source: 'uniform random walk over schedules, as in Shuttle (awslabs/shuttle)',
  requires: [],
  config: z.strictObject({
    references: z.number().int().min(1).default(128).describe('most references of a turn in user mode'),
  }),
  create: ({ references }) => randomScheduler(references),
});
