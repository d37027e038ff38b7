import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ID, lostDirtyLine } from './lost-dirty-line.ts';

export const manifest = defineManifest({
  id: ID,
  slot: 'checker',
  version: '1.0.0',
  summary: 'No invalidation throws away a dirty line of a page that it was not meant for.',
  source: 'Linux commit 3297e760776a, highmem: atomic highmem kmap page pinning; spec/kmap.md 2.4',
  requires: [],
  config: z.strictObject({}),
  create: () => lostDirtyLine,
});
