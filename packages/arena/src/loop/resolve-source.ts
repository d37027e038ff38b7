import { CacheKind } from '../cache-counters.ts';
import { GLOBAL_MASK } from '../tlb-structure.ts';
import { WALK } from './cache-source.ts';
import type { CacheShape, Side } from './cache-source.ts';
import { RECENT_SHIFT } from './recent-pages.ts';
import { tlbSource } from './tlb-source.ts';
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

const PLACES = 2 ** RECENT_SHIFT - 1;

/**
 * The text of what `TlbLookup.resolve` does for a page that is not among the recent ones: first level, second level,
 * walk and fills. A function for each first-level structure answers whether the page now stands at place `r` of the
 * index. Where it does not, nothing has happened yet, and the engines do all of it: traps, and whatever is rare. The
 * lookup in the first level is counted by the loop, as that of any hit.
 */
export function resolveSource(shape: TranslationShape): string {
  const { first, second } = shape;
  const structures = second === undefined ? first : [...first, second];
  return `const { cpu, recentPage, recentBase, recentSlot, lastSlot, forgotKind, tlbCounters, tlbOutcome, walker, found, allowedKinds,
  memoryWalkReads, walks } = parts;
const { readPa } = found;
let asid = -1, ttbr = -1;
function enter(newAsid, newTtbr) { asid = newAsid; ttbr = newTtbr; }
function noteTlb(event) { tlbOutcome[0] = mixOutcome(tlbOutcome[0], event); }
function forgotPage(kind, page, slot) {
  const at = (kind << ${RECENT_SHIFT}) | (page & ${PLACES});
  if (recentPage[at] === page && recentSlot[at] === slot) recentPage[at] = (page & ${PLACES}) ^ 1;
}
${structures.map(tlbSource).join('\n')}
${baseText(shape)}
${walkText(shape)}
${first.map((one) => lookupText(shape, one) + missedText(shape, one)).join('\n')}`;
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

/** Number of the first line of a page of 4 KiB within a mapping, as `RecentPages.note` has it; -1: not for the index. */
function baseText({ paEnd, lineShifts }: TranslationShape): string {
  const [fetch = 0, load = 0] = lineShifts;
  const lineShift = fetch === load ? String(fetch) : `(kind === 0 ? ${fetch} : ${load})`;
  return `function baseOf(kind, lo, hi, page, shift, frameLo, frameHi) {
  const inside = shift > 31 ? lo : lo & ((1 << shift) - 1);
  const top = frameHi | (shift > 32 ? hi & ((1 << (shift - 32)) - 1) : 0);
  const lineShift = ${lineShift};
  if (top >= ${paEnd} || (page << (12 - lineShift)) >> (12 - lineShift) === -1) return -1;
  const base = (top << (32 - lineShift)) | (((frameLo | inside) & -4096) >>> lineShift);
  return (base | (4095 >>> lineShift)) === -1 ? -1 : base;
}`;
}

/** The reads of the walk that was found, and whether the loop may do them: each in one line that has a number. */
function walkText({ walks, vaEnd, paEnd }: TranslationShape): string {
  const end = Math.min(vaEnd, paEnd) * 2 ** 32;
  if (walks === undefined)
    return `function mayRead() {
  for (let n = 0; n < found.reads; n++) if (readPa[n] >= ${end}) return false;
  return true;
}
function readDescriptors() { counters[memoryWalkReads] += found.reads; }`;
  const { side, cache } = walks;
  const { lineShift, setMask } = cache;
  const lineBytes = 2 ** lineShift;
  return `function mayRead() {
  for (let n = 0; n < found.reads; n++) {
    const pa = readPa[n];
    if (pa >= ${end - lineBytes} || ((pa | 0) & ${lineBytes - 1}) + found.readBytes > ${lineBytes}) return false;
  }
  return true;
}
function readDescriptors() {
  for (let n = 0; n < found.reads; n++) {
    const pa = readPa[n];
    const line = ((pa / 4294967296) << ${32 - lineShift}) | ((pa | 0) >>> ${lineShift});
    counters[accesses${side} + ${CacheKind.walk}] += 1;
    one${side}(line & ${setMask}, line, line, ${WALK}, 0);
  }
}`;
}

function lookupText({ vaEnd }: TranslationShape, { n }: TlbShape): string {
  return `function resolve${n}(kind, lo, hi, size, page, r) {
  if ((lo & 4095) + size > 4096 || hi >= ${vaEnd}) return false;
  const holder = (asid << 4) | (hi >>> 12);
  const slot = find${n}(page, holder);
  if (slot < 0) return missed${n}(kind, lo, hi, page, r, holder);
  if (((allowed${n}[slot] >>> kind) & 1) === 0) return false;
  const base = baseOf(kind, lo, hi, page, pageShift${n}[slot], paLo${n}[slot], paHi${n}[slot]);
  if (base === -1) return false;
  used${n}(slot);
  return recently${n}(page, r, base, slot);
}
function used${n}(slot) {
  if (lastSlot[${n}] === slot) return;
  touch${n}(slot);
  lastSlot[${n}] = slot;
}
function recently${n}(page, r, base, slot) {
  recentPage[r] = page;
  recentBase[r] = base;
  recentSlot[r] = slot;
  lastSlot[${n}] = slot;
  return true;
}
`;
}

function missedText({ second }: TranslationShape, one: TlbShape): string {
  const { n } = one;
  const smallest = (shape: TlbShape): string =>
    shape.pageShifts.length === 0 ? '' : ` || found.pageShift < ${shape.pageShifts.at(-1)}`;
  const counted = `tlbCounters[misses${n} + kind] += 1;
  noteTlb(page + ${n} + kind);`;
  const filled = `place${n}(page, holder, mask, shift, frameLo, frameHi, may, level)`;
  const main =
    second === undefined
      ? ''
      : `const main = find${second.n}(page, holder);
  if (main >= 0) return copied${n}(kind, lo, hi, page, r, holder, main);
  `;
  const copy =
    second === undefined
      ? ''
      : `function copied${n}(kind, lo, hi, page, r, holder, main) {
  const may = allowed${second.n}[main], shift = pageShift${second.n}[main], level = level${second.n}[main];
  const frameLo = paLo${second.n}[main], frameHi = paHi${second.n}[main], mask = holderMask${second.n}[main];
  if (((may >>> kind) & 1) === 0${one.pageShifts.length === 0 ? '' : ` || shift < ${one.pageShifts.at(-1)}`}) return false;
  const base = baseOf(kind, lo, hi, page, shift, frameLo, frameHi);
  if (base === -1) return false;
  ${counted}
  tlbCounters[lookups${second.n} + kind] += 1;
  touch${second.n}(main);
  return recently${n}(page, r, base, ${filled});
}
`;
  return `function missed${n}(kind, lo, hi, page, r, holder) {
  if (cpu.watched > 0) return false;
  ${main}walker.walk(ttbr, lo >>> 0, hi, found);
  if (found.fault !== 0 || !mayRead()${smallest(one)}${second === undefined ? '' : smallest(second)}) return false;
  const may = allowedKinds(found.flags), shift = found.pageShift, level = found.level, pfn = found.pfn;
  const frameLo = pfn << 12, frameHi = (pfn / 1048576) | 0, mask = (found.flags & 8) !== 0 ? ${GLOBAL_MASK} : -1;
  if (((may >>> kind) & 1) === 0) return false;
  const base = baseOf(kind, lo, hi, page, shift, frameLo, frameHi);
  if (base === -1) return false;
  ${counted}
  ${
    second === undefined
      ? ''
      : `tlbCounters[lookups${second.n} + kind] += 1;
  tlbCounters[misses${second.n} + kind] += 1;
  noteTlb(page + ${second.n} + kind);
  place${second.n}(page, holder, mask, shift, frameLo, frameHi, may, level);`
  }
  tlbCounters[walks] += 1;
  tlbCounters[walks + 1] += found.reads;
  readDescriptors();
  return recently${n}(page, r, base, ${filled});
}
${copy}`;
}
