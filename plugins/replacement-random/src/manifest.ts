import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { random } from './random.ts';

export const manifest = defineManifest({
  id: 'replacement-random',
  slot: 'replacement',
  version: '1.0.0',
  summary: 'Any way, drawn from the seed.',
  source: 'Cortex-A9 TRM DDI 0388I: pseudo-random replacement',
  requires: [],
  config: z.strictObject({}),
  create: () => ({ policy: random }),
});
