import { AccessKind, PIECE_KIND_MASK } from '@tablewalk/contracts';
import type { TranslatedBatch } from '@tablewalk/contracts';
import { CacheKind } from './cache-counters.ts';
import type { CacheLevel } from './cache-level.ts';

/** The caches as one CPU sees them. `instruction` and `data` are one when the L1 is unified. */
export interface CachePort {
  readonly cpu: number;
  readonly instruction: CacheLevel;
  readonly data: CacheLevel;
  /** Where descriptor reads look; undefined: memory. */
  readonly walks: CacheLevel | undefined;
  readonly counters: Float64Array;
  readonly memoryWalkReads: number;
}

/** `hi:lo >>> shift`, as a line number of 32 bits. */
export const lineNumber = (lo: number, hi: number, shift: number): number =>
  (hi << (32 - shift)) | (lo >>> shift);

/**
 * Every line that piece `i` touches, the lowest first, each an access of its own. A piece lies within one
 * page, so its lines are neighbours in both address spaces.
 */
export function accessLines(
  level: CacheLevel,
  cpu: number,
  kind: number,
  batch: TranslatedBatch,
  i: number,
): void {
  const { lineShift, setMask } = level;
  const { index, tag, lineBytes } = level.geometry;
  const paLo = batch.paLo[i] as number;
  const line = lineNumber(paLo, batch.paHi[i] as number, lineShift);
  const key = tag === 'pa' ? line : lineNumber(batch.vaLo[i] as number, batch.vaHi[i] as number, lineShift);
  const place = (index === 'pa' ? paLo : (batch.vaLo[i] as number)) >>> lineShift;
  const start = paLo & (lineBytes - 1);
  const end = start + (batch.size[i] as number);
  for (let n = 0; n * lineBytes < end; n++) {
    const whole = n * lineBytes >= start && (n + 1) * lineBytes <= end;
    level.access(cpu, kind, (place + n) & setMask, (key + n) | 0, (line + n) | 0, whole);
  }
}

export function accessWalk(port: CachePort, batch: TranslatedBatch, i: number): void {
  if (port.walks === undefined) (port.counters[port.memoryWalkReads] as number) += 1;
  else accessLines(port.walks, port.cpu, CacheKind.walk, batch, i);
}

/** The convention `line`, one line at a time: to classify misses, and to test the fast loop against. */
export function runByLines(port: CachePort, batch: TranslatedBatch): void {
  const { cpu, instruction, data } = port;
  for (let i = 0; i < batch.count; i++) {
    switch ((batch.kind[i] as number) & PIECE_KIND_MASK) {
      case AccessKind.fetch:
        accessLines(instruction, cpu, CacheKind.fetch, batch, i);
        break;
      case AccessKind.load:
        accessLines(data, cpu, CacheKind.read, batch, i);
        break;
      case AccessKind.store:
        accessLines(data, cpu, CacheKind.write, batch, i);
        break;
      case AccessKind.modify:
        accessLines(data, cpu, CacheKind.read, batch, i);
        accessLines(data, cpu, CacheKind.write, batch, i);
        break;
      default:
        accessWalk(port, batch, i);
    }
  }
}
