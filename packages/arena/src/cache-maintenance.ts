import type { CacheOperation, CacheOrder } from '@tablewalk/contracts';
import { INVALID } from './cache-level.ts';
import type { CacheLevel } from './cache-level.ts';
import { lineNumber } from './cache-lines.ts';

const PAGE_BYTES = 4096;

/**
 * Maintenance of one cache (ARM ARM DDI 0406C B2.2.6, B4.2.1): clean writes dirty lines to the next
 * level and keeps them, invalidate drops lines and loses what is dirty in them. A range is found by
 * virtual address in a VIVT cache, else by physical address: in a VIPT cache whose way is larger than
 * a page, in the sets of every colour.
 */
export function maintainLevel(
  level: CacheLevel,
  cpu: number,
  counters: Float64Array,
  { operation, range }: CacheOrder,
): readonly [cleaned: number, invalidated: number] {
  const slots = range === undefined ? level.keys.keys() : slotsOf(level, range);
  let cleaned = 0;
  let invalidated = 0;
  for (const slot of slots) {
    const key = level.keys[slot] as number;
    if (key === INVALID) continue;
    if (operation !== 'invalidate' && level.dirty[slot] === 1) {
      level.dirty[slot] = 0;
      level.writeBelow(cpu, level.physical[slot] as number, true);
      cleaned += 1;
    }
    if (operation === 'clean') continue;
    level.drop(slot);
    level.note(cpu, key ^ EVENT[operation]);
    invalidated += 1;
  }
  (counters[level.at.cleaned] as number) += cleaned;
  (counters[level.at.invalidated] as number) += invalidated;
  return [cleaned, invalidated];
}

/** What tells the operations apart in the outcome word. */
const EVENT: Readonly<Record<CacheOperation, number>> = {
  clean: 0,
  invalidate: 0x10,
  'clean-invalidate': 0x20,
};

/** The slots of valid lines that some byte of the range lies in, by address, then colour. */
function* slotsOf(level: CacheLevel, range: NonNullable<CacheOrder['range']>): Generator<number> {
  const { lineShift, setMask, geometry } = level;
  const { index, tag, lineBytes, sets, ways } = geometry;
  const start = tag === 'va' ? range.va : range.pa;
  const lines = Math.ceil(((start % lineBytes) + range.bytes) / lineBytes);
  const first = lineNumber(start % 2 ** 32, Math.floor(start / 2 ** 32), lineShift);
  if (range.bytes <= 0) return;
  if (lines > sets * ways) {
    for (const [slot, key] of level.keys.entries()) if ((key - first) >>> 0 < lines) yield slot;
    return;
  }
  // Sets that differ in address bits above the page offset are colours when the VA chooses the set.
  const step = index === 'va' && tag === 'pa' ? Math.min(sets, PAGE_BYTES / lineBytes) : sets;
  for (let n = 0; n < lines; n++) {
    const key = (first + n) | 0;
    for (let set = key & setMask & (step - 1); set < sets; set += step) {
      const slot = level.find(set, key);
      if (slot >= 0) yield slot;
    }
  }
}
