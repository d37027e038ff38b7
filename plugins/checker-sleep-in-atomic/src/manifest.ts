import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ID, sleepInAtomic } from './sleep-in-atomic.ts';

export const manifest = defineManifest({
  id: ID,
  slot: 'checker',
  version: '1.0.0',
  summary: 'No task sleeps with preemption disabled, a spinlock held or IRQs off.',
  source: 'Linux kernel/sched.c, schedule_debug ("BUG: scheduling while atomic"); spec/kmap.md 1.1',
  requires: [],
  config: z.strictObject({}),
  create: () => sleepInAtomic,
});
