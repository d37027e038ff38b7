import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { lru } from './lru.ts';

export const manifest = defineManifest({
  id: 'replacement-lru',
  slot: 'replacement',
  version: '1.0.0',
  summary: 'The way whose last reference lies furthest back goes.',
  source: 'Mattson et al., IBM Systems Journal 9(2), 1970',
  requires: [],
  config: z.strictObject({}),
  create: () => ({ policy: lru }),
});
