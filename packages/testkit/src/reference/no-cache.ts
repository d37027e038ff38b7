import { defineManifest } from '@tablewalk/contracts';
import type { CacheEngine } from '@tablewalk/contracts';
import { z } from 'zod';

/** Memory without caches: it counts references by CPU and keeps nothing. */
function noCache(cpus: number): CacheEngine {
  const counts = Array.from({ length: cpus }, () => new Float64Array(1));
  return {
    run(cpu, { count }) {
      const counters = counts[cpu] as Float64Array;
      counters[0] = (counters[0] as number) + count;
    },
    maintain: () => [0, 0],
    counters: (cpu) => counts[cpu] as Float64Array,
    counterNames: ['memory.references'],
    outcomeWord: (cpu) => (counts[cpu]?.[0] ?? 0) | 0,
    digest: () => counts.map(([count]) => count).join(),
  };
}

export const noCacheManifest = defineManifest({
  id: 'cache-absent',
  slot: 'cache',
  version: '1.0.0',
  summary: 'No cache at all.',
  source: 'none: it stands for the absence of caches',
  requires: [],
  config: z.strictObject({}),
  create: (_config, _deps, { cpus }) => ({
    engine: () => noCache(cpus),
    *switchMm() {},
    *flushPage() {},
    *maintain() {},
    *flushKmaps() {},
  }),
});
