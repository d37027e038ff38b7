import { crossSource, missSource, outerSource, restSource } from './cache-source.ts';
import type { CacheShape, Side } from './cache-source.ts';

/** What the text of a loop depends on: everything of a machine that is known before it runs. */
export interface HitShape {
  /** `recent`: pages are found among those translated lately; `none`: physical addresses are the virtual ones. */
  readonly translation: 'recent' | 'none';
  /** Must the TLB's replacement policy be told of hits? */
  readonly tellsTlb: boolean;
  /** `[instruction, data]`, or one cache for both. */
  readonly caches: readonly [CacheShape] | readonly [CacheShape, CacheShape];
  readonly outer: CacheShape | undefined;
  /** Where nothing is translated: the highest upper half of an address that the caches have room for. */
  readonly hiMax: number;
}

/** log2 of the entries that `recent` pages have for each kind of access. */
export const RECENT_SHIFT = 8;
const RECENT_MASK = 2 ** RECENT_SHIFT - 1;
/**
 * The text of a function `(i, to, kinds, vaLo, vaHi, sizes) -> i` that retires references while they are hits of
 * the first-level TLB, whatever they do in the caches. It stops at the first reference that is not. The function
 * closes over the names in `parts`: arrays, and functions that are called for what is rare.
 *
 * The machine's geometry stands in the text as numbers, so that V8 compiles a loop for it alone: no call for a
 * hit, no shape that other machines could have (docs/adr/0011).
 */
export function hitSource(shape: HitShape): string {
  const { caches, outer, translation, hiMax } = shape;
  const recent = translation === 'recent';
  const sides = caches.length === 1 ? [sideSource(shape, caches[0], 'D')] : bothSides(shape, caches);
  const functions = caches.flatMap((cache, n) => {
    const side = caches.length === 1 || n === 1 ? 'D' : 'I';
    return [restSource(cache, side), crossSource(recent, cache, side), missSource(cache, side, outer)];
  });
  return `'use strict';
const { counters, note, counts, extra, recentPage, recentBase, recentSlot, lastSlot, structureOf, touchEntry } = parts;
${caches.length === 1 ? '' : names('I')}${names('D')}${outer === undefined ? '' : `${names('O')}${outerSource(outer)}`}
${functions.join('\n')}
return function hits(i, to, kinds, vaLo, vaHi, sizes) {
  const from = i;
  let fetches = 0, stores = 0, modifies = 0;
  for (; i < to; i++) {
    const kind = kinds[i];
    const lo = vaLo[i] | 0;
    const hi = vaHi[i];
    const size = sizes[i];
    ${recent ? recentText(shape) : `if (hi > ${hiMax}) break;`}
    ${sides.join('')}
  }
  counts[0] += fetches;
  counts[1] += i - from - fetches - stores;
  counts[2] += stores - modifies;
  counts[3] += modifies;
  return i;
};`;
}

const names = (side: Side): string =>
  `const { keys: keys${side}, physical: physical${side}, dirty: dirty${side}, newestKey: newestKey${side}, ` +
  `newestSlot: newestSlot${side}, lane: lane${side}, policy: policy${side}, missed: missed${side}, ` +
  `stored: stored${side}, filled: filled${side}, ` +
  `misses: misses${side}, accesses: accesses${side}, writebacks: writebacks${side} } = parts.cache${side};\n`;

const recentText = ({ tellsTlb }: HitShape): string => `const page = (hi << 20) | (lo >>> 12);
    const r = (kind << ${RECENT_SHIFT}) | (page & ${RECENT_MASK});
    if (recentPage[r] !== page) break;
    ${tellsTlb ? `if (recentSlot[r] !== lastSlot[structureOf[kind]]) touchEntry(kind, recentSlot[r]);` : ''}`;

const bothSides = (shape: HitShape, [instruction, data]: readonly [CacheShape, CacheShape]): string[] => [
  `if (kind === 0) {`,
  sideSource(shape, instruction, 'I'),
  `} else {`,
  sideSource(shape, data, 'D'),
  `}`,
];

/** One reference in the caches of its side. A unified cache is side `D`. */
function sideSource(shape: HitShape, cache: CacheShape, side: Side): string {
  const { lineShift, setMask, stack, ways, tagVa, indexVa, writeThrough, marksDirty } = cache;
  const lineBytes = 2 ** lineShift;
  const recent = shape.translation === 'recent';
  const virtual = `(hi << ${32 - lineShift}) | (lo >>> ${lineShift})`;
  const physical = recent ? `recentBase[r] | ((lo & 4095) >>> ${lineShift})` : virtual;
  const key = tagVa ? virtual : physical;
  const set = indexVa ? `(lo >>> ${lineShift}) & ${setMask}` : `${tagVa ? 'line' : 'key'} & ${setMask}`;
  const newest = stack ? `keys${side}[set * ${ways}]` : `newestKey${side}[set]`;
  const newestSlot = stack ? `set * ${ways}` : `newestSlot${side}[set]`;
  const unified = shape.caches.length === 1;
  const count = unified
    ? `if (kind === 0) fetches += 1; else if (kind > 1) { stores += 1; modifies += kind & 1; }`
    : side === 'I'
      ? 'fetches += 1;'
      : 'if (kind > 1) { stores += 1; modifies += kind & 1; }';
  const mark = `dirty${side}[${newestSlot}] = ${marksDirty ? 1 : 0};`;
  const onHit =
    side === 'I'
      ? ''
      : writeThrough
        ? `if (kind > 1) stored${side}(set, key, LINE, size);`
        : `if (kind > 1) ${mark}`;
  return `
      if ((lo & ${lineBytes - 1}) + size > ${lineBytes}) {
        ${recent ? 'if ((lo & 4095) + size > 4096) break;' : ''}
        ${count}
        cross${side}(kind, lo, hi, ${recent ? 'recentBase[r]' : '0'}, size);
      } else {
        ${count}
        ${tagVa ? `const line = ${physical};` : ''}
        const key = ${key};
        const set = ${set};
        if (${newest} === key${recent ? '' : ' && key !== -1'}) { ${onHit.replace('LINE', tagVa ? 'line' : 'key')} }
        else rest${side}(set, key, ${tagVa ? 'line' : 'key'}, kind, size);
      }`;
}
