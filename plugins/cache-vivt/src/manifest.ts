import { cacheConfig, cachePlugin } from '@tablewalk/arena';
import type { CacheKind } from '@tablewalk/arena';
import { defineManifest } from '@tablewalk/contracts';

/**
 * Virtually indexed and tagged, without ASIDs: a line of the address space that left would be hit by the
 * next one, so a context switch cleans and invalidates everything (cpu_arm926_switch_mm).
 */
const kind: CacheKind = { index: 'va', tag: 'va', onSwitch: 'everything', flushesPages: true };

export const manifest = defineManifest({
  id: 'cache-vivt',
  slot: 'cache',
  version: '1.0.0',
  summary: 'Virtually indexed, virtually tagged L1 (ARM926, XScale); optional unified L2.',
  source: 'ARM926EJ-S TRM DDI 0198E; Linux arch/arm/mm/proc-arm926.S; spec/caches-and-dma.md 1',
  requires: ['replacement'],
  facets: ['exact', 'model'],
  config: cacheConfig,
  refuses: (_config, { cpus }) =>
    cpus > 1
      ? 'nothing keeps VIVT caches of several CPUs coherent; Linux runs them on one CPU only'
      : undefined,
  create: (config, { replacement }, machine) => cachePlugin(kind, config, replacement.policy, machine),
});
