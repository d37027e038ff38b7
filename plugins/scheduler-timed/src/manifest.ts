import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { timedScheduler } from './timed.ts';

export const manifest = defineManifest({
  id: 'scheduler-timed',
  slot: 'scheduler',
  version: '1.0.0',
  summary: 'The CPU that is furthest behind in virtual time goes first.',
  source: 'conservative discrete-event simulation: the event with the least time',
  requires: [],
  config: z.strictObject({
    fine: z
      .number()
      .int()
      .min(1)
      .default(16)
      .describe('references between choices while another CPU is in the kernel'),
    coarse: z
      .number()
      .int()
      .min(1)
      .default(2048)
      .describe('references between choices while all CPUs are in user mode'),
  }),
  create: (config) => timedScheduler(config),
});
