import { AccessKind } from '@tablewalk/contracts';
import { CacheKind } from '../cache-counters.ts';
import type { CacheLevel } from '../cache-level.ts';
import type { CachePort } from '../cache-lines.ts';
import type { CacheShape } from './hit-source.ts';

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
  };
}

/** What the generated code closes over: the arrays of one cache, and what it calls when it has no hit there. */
export function cacheParts(port: CachePort, level: CacheLevel, crossed: Float64Array, translated: boolean) {
  const { keys, physical, dirty, newestKey, newestSlot, lane, policy, rules } = level;
  const { cpu } = port;
  const { lineBytes, index, tag } = level.geometry;
  const { lineShift } = level;
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
    stored,
    /** A line in none of its set's ways. */
    missed(set: number, key: number, line: number, kind: number, size: number): void {
      if (kind === AccessKind.store) {
        stored(set, key, line, size);
        return;
      }
      level.lookup(cpu, kind === AccessKind.fetch ? CacheKind.fetch : CacheKind.read, set, key, line, false);
      if (kind !== AccessKind.modify) return;
      // The line that was just read is the newest.
      if (rules.writeThrough) stored(set, key, line, size);
      else dirty[newestSlot[set] as number] = rules.marksDirty ? 1 : 0;
    },
    /** A reference to several lines, of one page where pages are translated: each line is an access of its own. */
    crossing(kind: number, lo: number, hi: number, base: number, size: number): void {
      (crossed[kind] as number) += 1;
      const virtual = (hi << (32 - lineShift)) | (lo >>> lineShift);
      const line = translated ? base | ((lo & 4095) >>> lineShift) : virtual;
      const key = tag === 'va' ? virtual : line;
      const place = index === 'va' ? lo >>> lineShift : line;
      const start = lo & (lineBytes - 1);
      const end = start + size;
      if (kind === AccessKind.fetch) accessLines(level, cpu, CacheKind.fetch, place, key, line, start, end);
      else {
        if (kind !== AccessKind.store) accessLines(level, cpu, CacheKind.read, place, key, line, start, end);
        if (kind !== AccessKind.load) accessLines(level, cpu, CacheKind.write, place, key, line, start, end);
      }
    },
  };
}

/** The lines of bytes `[start, end)`, counted from the beginning of line `line`, the lowest first. */
function accessLines(
  level: CacheLevel,
  cpu: number,
  kind: number,
  place: number,
  key: number,
  line: number,
  start: number,
  end: number,
): void {
  const { setMask } = level;
  const { lineBytes } = level.geometry;
  for (let n = 0; n * lineBytes < end; n++) {
    const whole = n * lineBytes >= start && (n + 1) * lineBytes <= end;
    level.access(cpu, kind, (place + n) & setMask, (key + n) | 0, (line + n) | 0, whole);
  }
}
