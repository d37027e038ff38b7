import { cacheConfig, cachePlugin } from '@tablewalk/arena';
import type { CacheKind } from '@tablewalk/arena';
import { defineManifest } from '@tablewalk/contracts';

/** Physically indexed and tagged: Cortex-A15 and A7 data caches. Nothing to flush, ever. */
const kind: CacheKind = { index: 'pa', tag: 'pa', onSwitch: 'nothing', flushesPages: false };

export const manifest = defineManifest({
  id: 'cache-pipt',
  slot: 'cache',
  version: '1.0.0',
  summary: 'Physically indexed, physically tagged L1; optional unified L2.',
  source: 'Cortex-A15 TRM DDI 0438; spec/caches-and-dma.md 1',
  requires: ['replacement'],
  facets: ['exact', 'model'],
  config: cacheConfig,
  create: (config, { replacement }, machine) => cachePlugin(kind, config, replacement.policy, machine),
});
