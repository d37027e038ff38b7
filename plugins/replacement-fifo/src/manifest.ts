import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { fifo } from './fifo.ts';

export const manifest = defineManifest({
  id: 'replacement-fifo',
  slot: 'replacement',
  version: '1.0.0',
  summary: 'The way filled longest ago goes; hits change nothing.',
  source: 'Belady, IBM Systems Journal 5(2), 1966',
  requires: [],
  config: z.strictObject({}),
  create: () => ({ policy: fifo }),
});
