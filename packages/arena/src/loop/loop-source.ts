import { cacheSource, newestText, outerSource } from './cache-source.ts';
import type { CacheShape, Side } from './cache-source.ts';
import { RECENT_MASK, RECENT_SHIFT } from './recent-pages.ts';
import { inStructure, resolveSource } from './resolve-source.ts';
import type { TranslationShape } from './resolve-source.ts';

/** What the text of a loop depends on: everything of a machine that is known before it runs. */
export interface LoopShape {
  /** Undefined: physical addresses are the virtual ones. */
  readonly translation: TranslationShape | undefined;
  /** `[instruction, data]`, or one cache for both. */
  readonly caches: readonly [CacheShape] | readonly [CacheShape, CacheShape];
  readonly outer: CacheShape | undefined;
  /** Where nothing is translated: the highest upper half of an address that the caches have room for. */
  readonly hiMax: number;
}

/**
 * The text of two functions: `enter(asid, ttbr)`, and `retire(i, to) -> i`, which retires references of the stretch
 * until it meets one that the engines must see: it traps, lies in two pages, or is otherwise rare. They close over the
 * names in `parts`: arrays, and functions that are called for what is rare.
 *
 * The machine's geometry stands in the text as numbers, so that V8 compiles a loop for it alone: no call for a
 * hit, no shape that other machines could have (docs/adr/0011).
 */
export function loopSource(shape: LoopShape): string {
  const { caches, outer, translation, hiMax } = shape;
  const sides = caches.length === 1 ? [sideSource(shape, caches[0], 'D')] : bothSides(shape, caches);
  const functions = caches.map((cache, n) =>
    cacheSource(translation !== undefined, cache, caches.length === 1 || n === 1 ? 'D' : 'I', outer),
  );
  return `'use strict';
const { cpuNumber, counters, outcomes, memoryReads, memoryWrites, counts, extra } = parts;
const { kind: kinds, vaLo, vaHi, size: sizes } = parts.stretch;
${caches.length === 1 ? '' : names('I')}${names('D')}${outer === undefined ? '' : `${names('O')}${outerSource(outer)}`}
${functions.join('\n')}
${translation === undefined ? 'function enter() {}' : resolveSource(translation)}
function retire(i, to) {
  const from = i;
  let fetches = 0, stores = 0, modifies = 0;
  for (; i < to; i++) {
    const kind = kinds[i];
    const lo = vaLo[i] | 0;
    const hi = vaHi[i];
    const size = sizes[i];
    ${translation === undefined ? `if (hi > ${hiMax}) break;` : recentText(translation)}
    ${sides.join('')}
  }
  counts[0] += fetches;
  counts[1] += i - from - fetches - stores;
  counts[2] += stores - modifies;
  counts[3] += modifies;
  return i;
}
return { enter, retire };`;
}

const names = (side: Side): string =>
  `const { keys: keys${side}, physical: physical${side}, dirty: dirty${side}, newestKey: newestKey${side}, ` +
  `newestSlot: newestSlot${side}, lane: lane${side}, policy: policy${side}, random: random${side}, ` +
  `globals: globals${side}, missed: missed${side}, stored: stored${side}, filled: filled${side}, ` +
  `misses: misses${side}, accesses: accesses${side}, writebacks: writebacks${side} } = parts.cache${side};\n`;

function recentText(translation: TranslationShape): string {
  const { first } = translation;
  const resolve = inStructure(translation, 'resolve', 'kind, lo, hi, size, page, r');
  const used = first.some(({ tellsPolicy }) => tellsPolicy)
    ? ` else ${inStructure(translation, 'used', 'recentSlot[r]')};`
    : '';
  return `const page = (hi << 20) | (lo >>> 12);
    const r = (kind << ${RECENT_SHIFT}) | (page & ${RECENT_MASK});
    if (recentPage[r] !== page) { if (!(${resolve})) break; }${used}`;
}

const bothSides = (shape: LoopShape, [instruction, data]: readonly [CacheShape, CacheShape]): string[] => [
  `if (kind === 0) {`,
  sideSource(shape, instruction, 'I'),
  `} else {`,
  sideSource(shape, data, 'D'),
  `}`,
];

/** One reference in the caches of its side. A unified cache is side `D`. */
function sideSource(shape: LoopShape, cache: CacheShape, side: Side): string {
  const { lineShift, setMask, stack, ways, tagVa, indexVa, writeThrough, marksDirty } = cache;
  const lineBytes = 2 ** lineShift;
  const recent = shape.translation !== undefined;
  const virtual = `(hi << ${32 - lineShift}) | (lo >>> ${lineShift})`;
  const physical = recent ? `recentBase[r] | ((lo & 4095) >>> ${lineShift})` : virtual;
  const key = tagVa ? virtual : physical;
  const line = tagVa ? 'line' : 'key';
  const set = indexVa ? `(lo >>> ${lineShift}) & ${setMask}` : `${line} & ${setMask}`;
  const newest = newestText(cache, side);
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
        ? `if (kind > 1) stored${side}(set, key, ${line}, size);`
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
        if (${newest} === key${recent ? '' : ' && key !== -1'}) { ${onHit} }
        else rest${side}(set, key, ${line}, kind, size);
      }`;
}
