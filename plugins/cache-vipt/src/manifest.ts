import { cacheConfig, cachePlugin } from '@tablewalk/arena';
import type { CacheKind } from '@tablewalk/arena';
import { defineManifest } from '@tablewalk/contracts';

/**
 * Virtually indexed, physically tagged. Where a way is larger than a page, a physical line may stand in
 * several sets (colours), so an unmapped page's lines are flushed, as flush_cache_page does.
 */
const kind: CacheKind = { index: 'va', tag: 'pa', onSwitch: 'nothing', flushesPages: true };

export const manifest = defineManifest({
  id: 'cache-vipt',
  slot: 'cache',
  version: '1.0.0',
  summary: 'Virtually indexed, physically tagged L1; optional unified L2.',
  source: 'ARM1136 TRM DDI 0211; Linux arch/arm/mm/flush.c; spec/caches-and-dma.md 1',
  requires: ['replacement'],
  facets: ['exact', 'model'],
  config: cacheConfig,
  create: (config, { replacement }, machine) => cachePlugin(kind, config, replacement.policy, machine),
});
