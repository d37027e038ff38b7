import { AccessKind, PIECE_KIND_MASK, PieceFlag } from '@tablewalk/contracts';
import type { TranslatedBatch } from '@tablewalk/contracts';
import { CacheKind } from './cache-counters.ts';
import type { CacheLevel } from './cache-level.ts';
import { accessWalk, lineNumber } from './cache-lines.ts';
import type { CachePort } from './cache-lines.ts';

/** Where the five counters lie behind `LevelCounters.pycachesim`. */
const LOAD = 0;
const STORE = 1;
const HIT = 2;
const MISS = 3;
const EVICT = 4;

/**
 * pycachesim (RRZE-HPC, cachesim/backend.c, Cache__load and Cache__store): LOAD and STORE count calls,
 * HIT and MISS count lines. A store that hits changes neither HIT nor the order of replacement; one
 * that misses first loads the whole line in the same cache. The line comes from below before the
 * victim, if dirty, is stored below. The plain counters are kept beside its own, by line.
 */
export function runPycachesim(port: CachePort, batch: TranslatedBatch): void {
  for (let i = 0; i < batch.count; i++) {
    const kind = (batch.kind[i] as number) & PIECE_KIND_MASK;
    if (kind === AccessKind.walk) {
      accessWalk(port, batch, i);
      continue;
    }
    const first = i;
    while (i + 1 < batch.count && ((batch.kind[i + 1] as number) & PieceFlag.continues) !== 0) i += 1;
    const level = kind === AccessKind.fetch ? port.instruction : port.data;
    if (kind !== AccessKind.store) {
      (port.counters[level.at.pycachesim + LOAD] as number) += 1;
      const cacheKind = kind === AccessKind.fetch ? CacheKind.fetch : CacheKind.read;
      for (let piece = first; piece <= i; piece++) eachLine(port, level, cacheKind, batch, piece, load);
    }
    if (kind === AccessKind.store || kind === AccessKind.modify) {
      (port.counters[level.at.pycachesim + STORE] as number) += 1;
      for (let piece = first; piece <= i; piece++)
        eachLine(port, level, CacheKind.write, batch, piece, store);
    }
  }
}

type LineAction = (
  port: CachePort,
  level: CacheLevel,
  kind: number,
  set: number,
  key: number,
  line: number,
) => void;

function eachLine(
  port: CachePort,
  level: CacheLevel,
  kind: number,
  batch: TranslatedBatch,
  i: number,
  action: LineAction,
): void {
  const { lineShift, setMask } = level;
  const { index, tag, lineBytes } = level.geometry;
  const paLo = batch.paLo[i] as number;
  const line = lineNumber(paLo, batch.paHi[i] as number, lineShift);
  const key = tag === 'pa' ? line : lineNumber(batch.vaLo[i] as number, batch.vaHi[i] as number, lineShift);
  const place = (index === 'pa' ? paLo : (batch.vaLo[i] as number)) >>> lineShift;
  const end = (paLo & (lineBytes - 1)) + (batch.size[i] as number);
  for (let n = 0; n * lineBytes < end; n++)
    action(port, level, kind, (place + n) & setMask, (key + n) | 0, (line + n) | 0);
}

function load(
  port: CachePort,
  level: CacheLevel,
  kind: number,
  set: number,
  key: number,
  line: number,
): void {
  (port.counters[level.at.accesses + kind] as number) += 1;
  const slot = level.find(set, key);
  if (slot < 0) return allocate(port, level, kind, set, key, line);
  (port.counters[level.at.pycachesim + HIT] as number) += 1;
  level.touch(set, slot, key);
}

function store(
  port: CachePort,
  level: CacheLevel,
  kind: number,
  set: number,
  key: number,
  line: number,
): void {
  (port.counters[level.at.accesses + kind] as number) += 1;
  if (level.find(set, key) < 0) {
    (port.counters[level.at.pycachesim + LOAD] as number) += 1;
    allocate(port, level, kind, set, key, line);
  }
  level.dirty[level.find(set, key)] = 1;
}

function allocate(
  port: CachePort,
  level: CacheLevel,
  kind: number,
  set: number,
  key: number,
  line: number,
): void {
  const { counters } = port;
  (counters[level.at.misses + kind] as number) += 1;
  (counters[level.at.pycachesim + MISS] as number) += 1;
  level.note(port.cpu, key + kind);
  below(port, level, kind === CacheKind.write ? CacheKind.read : kind, line);
  level.replace(set, key, line);
  if (!level.victimDirty) return;
  (counters[level.at.writebacks] as number) += 1;
  (counters[level.at.pycachesim + EVICT] as number) += 1;
  below(port, level, CacheKind.write, level.victimPhysical);
}

/** One call of the next level, for one line of this one. */
function below(port: CachePort, level: CacheLevel, kind: number, line: number): void {
  const next = level.below;
  const isStore = kind === CacheKind.write;
  if (next === undefined) {
    if (isStore) level.writeBelow(port.cpu, line, true);
    else level.readBelow(port.cpu, kind, line);
    return;
  }
  (port.counters[next.at.pycachesim + (isStore ? STORE : LOAD)] as number) += 1;
  const wide = (line >>> (next.lineShift - level.lineShift)) | 0;
  (isStore ? store : load)(port, next, kind, wide & next.setMask, wide, wide);
}
