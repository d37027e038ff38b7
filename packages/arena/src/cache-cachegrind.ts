import { AccessKind, PIECE_KIND_MASK, PieceFlag } from '@tablewalk/contracts';
import type { TranslatedBatch } from '@tablewalk/contracts';
import { CacheKind } from './cache-counters.ts';
import type { CacheLevel } from './cache-level.ts';
import { accessWalk, lineNumber } from './cache-lines.ts';
import type { CachePort } from './cache-lines.ts';

/**
 * valgrind's cachegrind (cachegrind/cg_sim.c, cachesim_ref_is_miss; cg_main.c, log_*): a reference is
 * one access and at most one miss a level, also when it crosses a line: then the first and the last
 * line are looked up and filled. What misses the L1 goes to the L2 whole. A modify is one read. Nothing is
 * written back. Data sizes are cut to the smallest line size of the three caches.
 */
export function runCachegrind(port: CachePort, batch: TranslatedBatch): void {
  const { instruction, data, counters } = port;
  const outer = data.below;
  const dataBytesMax = Math.min(
    instruction.geometry.lineBytes,
    data.geometry.lineBytes,
    outer?.geometry.lineBytes ?? Infinity,
  );
  for (let i = 0; i < batch.count; i++) {
    const bits = batch.kind[i] as number;
    const kind = bits & PIECE_KIND_MASK;
    if (kind === AccessKind.walk) {
      accessWalk(port, batch, i);
      continue;
    }
    const first = i;
    let bytes = batch.size[i] as number;
    while (i + 1 < batch.count && ((batch.kind[i + 1] as number) & PieceFlag.continues) !== 0)
      bytes += batch.size[++i] as number;
    if ((bits & PieceFlag.modified) !== 0) continue; // counted with its load
    const fetch = kind === AccessKind.fetch;
    if (!fetch) bytes = Math.min(bytes, dataBytesMax);
    const cacheKind = fetch ? CacheKind.fetch : kind === AccessKind.store ? CacheKind.write : CacheKind.read;
    for (let level = fetch ? instruction : data; ; level = outer as CacheLevel) {
      (counters[level.at.accesses + cacheKind] as number) += 1;
      if (!misses(level, batch, first, bytes)) break;
      (counters[level.at.misses + cacheKind] as number) += 1;
      level.note(port.cpu, first + cacheKind);
      if (level === outer || outer === undefined) break;
    }
  }
}

/** Looks up the lines of the first and the last byte, and fills those that are missing. */
function misses(level: CacheLevel, batch: TranslatedBatch, first: number, bytes: number): boolean {
  let piece = first;
  let last = bytes - 1;
  while (last >= (batch.size[piece] as number)) last -= batch.size[piece++] as number;
  const begin = fills(level, batch, first, 0);
  const { lineBytes } = level.geometry;
  const oneLine = piece === first && ((batch.paLo[first] as number) & (lineBytes - 1)) + last < lineBytes;
  return oneLine ? begin : fills(level, batch, piece, last) || begin;
}

/** Makes the line of one byte of a piece the newest; true when it was not there. */
function fills(level: CacheLevel, batch: TranslatedBatch, i: number, byte: number): boolean {
  const { lineShift, geometry } = level;
  const paLo = (batch.paLo[i] as number) + byte;
  const vaLo = (batch.vaLo[i] as number) + byte;
  const line = lineNumber(paLo, batch.paHi[i] as number, lineShift);
  const key = geometry.tag === 'pa' ? line : lineNumber(vaLo, batch.vaHi[i] as number, lineShift);
  const set = ((geometry.index === 'pa' ? paLo : vaLo) >>> lineShift) & level.setMask;
  const slot = level.find(set, key);
  if (slot >= 0) level.touch(set, slot, key);
  else level.replace(set, key, line);
  return slot < 0;
}
