import { AccessKind } from '@tablewalk/contracts';
import { CacheKind } from '../cache-counters.ts';
import type { CacheLevel } from '../cache-level.ts';
import type { CachePort } from '../cache-lines.ts';
import type { CacheShape } from './cache-source.ts';

export function cacheShape(level: CacheLevel): CacheShape {
  const { geometry, lineShift, setMask, ways, stack, policy, laneWords, rules } = level;
  return {
    lineShift,
    setMask,
    ways,
    indexVa: geometry.index === 'va',
    tagVa: geometry.tag === 'va',
    stack,
    tellsPolicy: !stack && policy.ignoresHits !== true,
    laneWords,
    marksDirty: rules.marksDirty,
    writeThrough: rules.writeThrough,
    wholeLineSkipsRead: rules.wholeLineSkipsRead,
  };
}

/** Kinds of access to a cache by kinds of reading reference. */
const READS: Readonly<Record<number, number>> = {
  [AccessKind.fetch]: CacheKind.fetch,
  [AccessKind.load]: CacheKind.read,
  [AccessKind.modify]: CacheKind.read,
  [AccessKind.walk]: CacheKind.walk,
};

/** What the generated code closes over: the arrays of one cache, and what it calls when it has no hit there. */
export function cacheParts(port: CachePort, level: CacheLevel) {
  const { keys, physical, dirty, newestKey, newestSlot, lane, policy, random, globals, rules, filled } =
    level;
  const { cpu } = port;
  const { lineBytes } = level.geometry;
  const stored = (set: number, key: number, line: number, size: number): void => {
    level.lookup(cpu, CacheKind.write, set, key, line, size === lineBytes);
  };
  return {
    keys,
    physical,
    dirty,
    newestKey,
    newestSlot,
    lane,
    policy,
    random,
    globals,
    filled,
    accesses: level.at.accesses,
    misses: level.at.misses,
    writebacks: level.at.writebacks,
    stored,
    /** A line in none of its set's ways. */
    missed(set: number, key: number, line: number, kind: number, size: number): void {
      if (kind === AccessKind.store) {
        level.miss(cpu, CacheKind.write, set, key, line, size === lineBytes);
        return;
      }
      level.miss(cpu, READS[kind] as number, set, key, line, false);
      if (kind !== AccessKind.modify) return;
      // The line that was just read is the newest.
      if (rules.writeThrough) stored(set, key, line, size);
      else dirty[newestSlot[set] as number] = rules.marksDirty ? 1 : 0;
    },
  };
}
