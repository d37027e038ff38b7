import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { roundRobinQueue } from './round-robin.ts';

export const manifest = defineManifest({
  id: 'run-queue-round-robin',
  slot: 'run-queue',
  version: '1.0.0',
  summary: 'One queue for all CPUs; a slice of so many references each.',
  source: 'the textbook round robin; SCHED_RR of sched(7) with one priority',
  requires: ['asid', 'mm'],
  config: z.strictObject({
    slice: z.number().int().min(1).default(20_000).describe('references of a time slice'),
  }),
  create: ({ slice }, { asid, mm }, { cpus }) => roundRobinQueue(slice, cpus, asid, mm),
});
