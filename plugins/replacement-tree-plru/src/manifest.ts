import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { treePlru } from './tree-plru.ts';

export const manifest = defineManifest({
  id: 'replacement-tree-plru',
  slot: 'replacement',
  version: '1.0.0',
  summary: 'A tree of bits, each pointing away from what was used last.',
  source: 'So and Rechtschaffen, Cache Operations by MRU Change, 1988',
  requires: [],
  config: z.strictObject({}),
  create: () => ({ policy: treePlru }),
});
