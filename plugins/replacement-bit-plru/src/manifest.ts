import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { bitPlru } from './bit-plru.ts';

export const manifest = defineManifest({
  id: 'replacement-bit-plru',
  slot: 'replacement',
  version: '1.0.0',
  summary: 'A bit a way, set when used; a way with a clear bit goes.',
  source: 'MRU bits, as in DynamoRIO drcachesim',
  requires: [],
  config: z.strictObject({
    victim: z.enum(['random', 'lowest']).default('random').describe('which of the ways with a clear bit'),
  }),
  create: (config) => ({ policy: bitPlru(config) }),
});
