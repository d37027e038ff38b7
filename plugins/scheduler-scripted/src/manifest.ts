import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { scriptedScheduler } from './scripted.ts';

export const manifest = defineManifest({
  id: 'scheduler-scripted',
  slot: 'scheduler',
  version: '1.0.0',
  summary: 'Follows a written schedule; each choice is recorded as a stimulus.',
  source: 'replay schedulers, as in Shuttle (awslabs/shuttle) and CHESS (OSDI 2008)',
  requires: [],
  config: z.strictObject({
    script: z.array(z.number().int().min(0)).default([]).describe('choices, as indices into what is enabled'),
    references: z.number().int().min(1).default(64).describe('references of a turn in user mode'),
  }),
  create: ({ script, references }) => scriptedScheduler(script, references),
});
