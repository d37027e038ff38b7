import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ID, staleDmaData } from './stale-dma-data.ts';

export const manifest = defineManifest({
  id: ID,
  slot: 'checker',
  version: '1.0.0',
  summary: 'What a device wrote to memory is what CPUs read, and no write-back overwrites it.',
  source:
    'Linux commit 2ffe2da3e716, dma-mapping: fix for speculative prefetching; spec/caches-and-dma.md 4.3',
  requires: [],
  config: z.strictObject({}),
  create: () => staleDmaData,
});
