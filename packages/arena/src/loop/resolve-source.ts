import { PageFlag } from '@tablewalk/contracts';
import { CacheKind } from '../cache-counters.ts';
import { GLOBAL_MASK } from '../tlb-structure.ts';
import { mixText, newestText, WALK } from './cache-source.ts';
import type { CacheShape, Side } from './cache-source.ts';
import { RECENT_MASK, RECENT_SHIFT } from './recent-pages.ts';
import { findText, placeText, tlbSource } from './tlb-source.ts';
import type { TlbShape } from './tlb-source.ts';

/** What the text of translation depends on. */
export interface TranslationShape {
  readonly first: readonly TlbShape[];
  readonly second: TlbShape | undefined;
  /** First upper half of a virtual and of a physical address that the caches have no room for. */
  readonly vaEnd: number;
  readonly paEnd: number;
  /** Where descriptors are read; undefined: in memory. */
  readonly walks: { readonly side: Side; readonly cache: CacheShape } | undefined;
  /** log2 of the bytes of a line, by kind of access. */
  readonly lineShifts: readonly number[];
}

/**
 * What walks found lately, by the tables as they are now: a place by page, of these words. They are the page, the
 * number of the state that the tables were in, the frame (low half, high half), the holder mask; kinds allowed, level
 * and reads in bytes; the lines of the reads.
 */
const WALKED_PLACES = 4096;
const WALKED_SHIFT = 4;
export const WALKED_WORDS = WALKED_PLACES << WALKED_SHIFT;
const AT = { page: 0, table: 1, frameLo: 2, frameHi: 3, mask: 4, found: 5, lines: 6 } as const;

/**
 * The text of what `TlbLookup.resolve` does for a page of 4 KiB that is not among the recent ones: first level, second
 * level, walk and fills. A function for each first-level structure answers whether the page now stands at place `r` of
 * the index. Where it does not, nothing has happened yet, and the engines do all of it: traps, larger pages, and
 * whatever is rare. The lookup in the first level is counted by the loop, as that of any hit.
 *
 * Functions are few and long on purpose: V8 would not put the small ones into so large a text by itself.
 */
export function resolveSource(shape: TranslationShape): string {
  const { first, second } = shape;
  const structures = second === undefined ? first : [...first, second];
  return `const { cpu, recentPage, recentBase, recentSlot, lastSlot, tlbCounters, tlbOutcome, walker, found,
  walked, allowedOf, memoryWalkReads, walks } = parts;
const { readPa } = found;
let asid = -1, ttbr = -1, version = NaN, table = 0;
function enter(newAsid, newTtbr) {
  asid = newAsid;
  const newVersion = walker.version ?? NaN;
  if (newTtbr === ttbr && newVersion === version) return;
  ttbr = newTtbr;
  version = newVersion;
  table = (table + 1) | 0;
}
function forget(kind, page, slot) {
  const at = (kind << ${RECENT_SHIFT}) | (page & ${RECENT_MASK});
  if (recentPage[at] === page && recentSlot[at] === slot) recentPage[at] = (page & ${RECENT_MASK}) ^ 1;
}
${structures.map(tlbSource).join('\n')}
${walkText(shape)}
${first.map((one) => usedText(one) + lookupText(shape, one) + missedText(shape, one)).join('\n')}`;
}

/** A call of the function `name` of the structure in which `kind` looks. */
export function inStructure({ first }: TranslationShape, name: string, args: string): string {
  const [last, ...others] = [...first].reverse() as [TlbShape, ...TlbShape[]];
  return others.reduce(
    (rest, { n, kinds }) =>
      `(${kinds.map((kind) => `kind === ${kind}`).join(' || ')} ? ${name}${n}(${args}) : ${rest})`,
    `${name}${last.n}(${args})`,
  );
}

const usedText = ({ n }: TlbShape): string => `function used${n}(slot) {
  if (lastSlot[${n}] === slot) return;
  touch${n}(slot);
  lastSlot[${n}] = slot;
}
`;

/**
 * Number of the first line of the page's frame, as `RecentPages.note` has it. Away, where the frame, or the last line
 * of page or frame, has no number.
 */
function baseText({ paEnd, lineShifts }: TranslationShape, { kinds }: TlbShape): string {
  const shifts = kinds.map((kind) => lineShifts[kind] as number);
  const [shift = 0, other = shift] = new Set(shifts);
  const lineShift = shift === other ? String(shift) : `(kind === 0 ? ${shift} : ${other})`;
  return `const base = (frameHi << (32 - ${lineShift})) | (frameLo >>> ${lineShift});
  if (frameHi >= ${paEnd} || (base | (4095 >>> ${lineShift})) === -1) return false;
  if ((page << (12 - ${lineShift})) >> (12 - ${lineShift}) === -1) return false;`;
}

const noteText = (n: number): string => `recentPage[r] = page;
  recentBase[r] = base;
  recentSlot[r] = slot;
  lastSlot[${n}] = slot;
  return true;`;

function lookupText(shape: TranslationShape, first: TlbShape): string {
  const { n } = first;
  const { vaEnd, second } = shape;
  const large = second === undefined ? '' : ` || tlb${second.n}.large !== 0`;
  return `function resolve${n}(kind, lo, hi, size, page, r) {
  if ((lo & 4095) + size > 4096 || hi >= ${vaEnd} || tlb${n}.large !== 0${large}) return false;
  const holder = (asid << 4) | (hi >>> 12);
  let slot = -1;
  ${findText(first, 'slot')}
  if (slot < 0) return missed${n}(kind, lo, hi, page, r, holder);
  if (((allowed${n}[slot] >>> kind) & 1) === 0) return false;
  const frameLo = paLo${n}[slot], frameHi = paHi${n}[slot];
  ${baseText(shape, first)}
  touch${n}(slot);
  ${noteText(n)}
}
`;
}

const countedText = (n: number): string => `tlbCounters[misses${n} + kind] += 1;
  ${mixText('tlbOutcome[0]', `page + ${n} + kind`)}`;

function missedText(shape: TranslationShape, first: TlbShape): string {
  const { n } = first;
  const { second } = shape;
  if (!first.holdsSmall || second?.holdsSmall === false) return `function missed${n}() { return false; }\n`;
  const look =
    second &&
    `let main = -1;
  ${findText(second, 'main')}
  if (main >= 0) return copied${n}(kind, page, r, holder, main);`;
  const fill =
    second &&
    `tlbCounters[lookups${second.n} + kind] += 1;
  ${countedText(second.n)}
  ${placeText(second, 'held')}`;
  return `function missed${n}(kind, lo, hi, page, r, holder) {
  if (cpu.watched > 0) return false;
  ${look ?? ''}
  const w = (page & ${WALKED_PLACES - 1}) << ${WALKED_SHIFT};
  if ((walked[w] !== page || walked[w + ${AT.table}] !== table) && !walk(w, lo, hi, page)) return false;
  const walkFound = walked[w + ${AT.found}];
  const may = walkFound & 255, level = (walkFound >>> 8) & 255, reads = walkFound >>> 16;
  if (((may >>> kind) & 1) === 0) return false;
  const frameLo = walked[w + ${AT.frameLo}], frameHi = walked[w + ${AT.frameHi}], mask = walked[w + ${AT.mask}];
  ${baseText(shape, first)}
  ${countedText(n)}
  ${fill ?? ''}
  tlbCounters[walks] += 1;
  tlbCounters[walks + 1] += reads;
  ${readText(shape)}
  ${placeText(first, 'slot')}
  ${noteText(n)}
}
${second === undefined ? '' : copiedText(shape, first, second)}`;
}

/** A hit of the second level: the entry is copied. */
const copiedText = (
  shape: TranslationShape,
  first: TlbShape,
  { n: from }: TlbShape,
): string => `function copied${first.n}(kind, page, r, holder, main) {
  const may = allowed${from}[main], level = level${from}[main], mask = holderMask${from}[main];
  const frameLo = paLo${from}[main], frameHi = paHi${from}[main];
  if (((may >>> kind) & 1) === 0) return false;
  ${baseText(shape, first)}
  ${countedText(first.n)}
  tlbCounters[lookups${from} + kind] += 1;
  touch${from}(main);
  ${placeText(first, 'slot')}
  ${noteText(first.n)}
}
`;

/** Walks, and notes at `w` what was found; away, where the engines must see it. Each read must lie in one line. */
function walkText({ walks, vaEnd, paEnd }: TranslationShape): string {
  const lineShift = walks?.cache.lineShift ?? 0;
  const end = Math.min(vaEnd, paEnd) * 2 ** 32 - 2 ** lineShift;
  const crosses = walks && ` || ((pa | 0) & ${2 ** lineShift - 1}) + found.readBytes > ${2 ** lineShift}`;
  return `function walk(w, lo, hi, page) {
  walker.walk(ttbr, lo >>> 0, hi, found);
  const { flags, level, pfn, reads } = found;
  if (found.fault !== 0 || found.pageShift !== 12) return false;
  walked[w + ${AT.page}] = -1;
  for (let n = 0; n < reads; n++) {
    const pa = readPa[n];
    if (pa >= ${end}${crosses ?? ''}) return false;
    walked[w + ${AT.lines} + n] = ((pa / 4294967296) << ${32 - lineShift}) | ((pa | 0) >>> ${lineShift});
  }
  walked[w + ${AT.table}] = table;
  walked[w + ${AT.frameLo}] = pfn << 12;
  walked[w + ${AT.frameHi}] = (pfn / 1048576) | 0;
  walked[w + ${AT.mask}] = (flags & ${PageFlag.global}) !== 0 ? ${GLOBAL_MASK} : -1;
  walked[w + ${AT.found}] = allowedOf[flags] | (level << 8) | (reads << 16);
  walked[w + ${AT.page}] = page;
  return true;
}`;
}

function readText({ walks }: TranslationShape): string {
  if (walks === undefined) return `counters[memoryWalkReads] += reads;`;
  const { side, cache } = walks;
  return `counters[accesses${side} + ${CacheKind.walk}] += reads;
  for (let n = 0; n < reads; n++) {
    const line = walked[w + ${AT.lines} + n];
    const set = line & ${cache.setMask};
    if (${newestText(cache, side)} !== line) rest${side}(set, line, line, ${WALK}, 0);
  }`;
}
