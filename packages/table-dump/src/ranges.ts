import { newWalk, WalkStage } from '@tablewalk/contracts';
import type { MemoryAttributes, Regime, TableFormat, Walk } from '@tablewalk/contracts';
import type { TablePages } from './pages.ts';
import { rightsOf } from './rights.ts';
import type { Rights } from './rights.ts';
import { finishWalk } from './walk.ts';
import { shiftOfLevel } from './walk-start.ts';

/** Leaves that follow each other in virtual addresses, of one size, with the same rights and attributes. */
export interface MappedRange {
  /** Virtual byte addresses `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** log2 of the bytes that each leaf maps, and the level of its descriptor. */
  readonly shift: number;
  readonly level: number;
  readonly leaves: number;
  /** Physical byte address of the first; undefined where the leaves do not follow each other there, too. */
  readonly pa?: number;
  readonly rights: Rights;
  readonly attributes: MemoryAttributes;
  readonly global: boolean;
}

type Growing = { -readonly [Key in keyof MappedRange]: MappedRange[Key] } & {
  leaf: number;
  scattered: boolean;
};

/** Everything that the tables map in `[from, to)`, ascending. Tables that the dump lacks map nothing here. */
export function mappedRanges(
  format: TableFormat,
  regime: Regime,
  pages: TablePages,
  from = 0,
  to = 2 ** 32,
): MappedRange[] {
  const ranges: MappedRange[] = [];
  const walk = newWalk();
  let last: Growing | undefined;
  for (let va = from; va < to;) {
    finishWalk(regime, format.wordBytes, pages, walk, va);
    const mapped = walk.stage === WalkStage.leaf;
    const bytes = 2 ** (mapped ? walk.shift : passedOver(format, walk));
    const start = va - (va % bytes);
    if (mapped)
      if (last !== undefined && continues(last, walk, start)) extend(last, walk, bytes);
      else ranges.push((last = begun(regime, walk, start, bytes)));
    va = start + bytes;
  }
  return ranges.map((range) => finished(range as Growing));
}

/**
 * log2 of the bytes that are not mapped with the address of a fault. A walk that ended before it read anything
 * (`pa` 0) tells of the half alone that a TTBR has, and that may be as small as 32 MiB: T0SZ or N is at most 7.
 */
const passedOver = (format: TableFormat, { pa, level }: Walk): number =>
  Math.min(shiftOfLevel(format, level), pa === 0 ? 25 : 32);

const begun = (regime: Regime, walk: Walk, start: number, bytes: number): Growing => ({
  start,
  end: start + bytes,
  shift: walk.shift,
  level: walk.level,
  leaves: 1,
  pa: walk.base,
  rights: rightsOf(regime, walk),
  attributes: regime.attributes(walk),
  global: regime.global(walk),
  leaf: walk.leaf,
  scattered: false,
});

/** `Walk.leaf` is all that rights and attributes are made of. */
const continues = (last: Growing, walk: Walk, start: number): boolean =>
  last.end === start && last.shift === walk.shift && last.level === walk.level && last.leaf === walk.leaf;

function extend(last: Growing, { base }: Walk, bytes: number): void {
  if (last.pa === undefined || base !== last.pa + (last.end - last.start)) last.scattered = true;
  last.end += bytes;
  last.leaves += 1;
}

function finished({ leaf: _leaf, scattered, pa, ...range }: Growing): MappedRange {
  return { ...range, ...(scattered || pa === undefined ? {} : { pa }) };
}

/** Leaves of a root by kind, as `leaf_counts` of the meta file has them: `page/user`, `block/kernel`. */
export function leafCounts(
  { wordBytes }: TableFormat,
  ranges: readonly MappedRange[],
  taskSize: number,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { start, end, shift, leaves } of ranges) {
    const type = shift === 12 ? 'page' : (TYPE_NAMES[shift] ?? (wordBytes === 8 ? 'block' : 'section'));
    // A range may go on from user space into the kernel's part.
    const inUser = Math.max(0, Math.min(leaves, Math.ceil((Math.min(end, taskSize) - start) / 2 ** shift)));
    for (const [part, count] of [
      ['user', inUser],
      ['kernel', leaves - inUser],
    ] as const)
      if (count > 0) counts[`${type}/${part}`] = (counts[`${type}/${part}`] ?? 0) + count;
  }
  return counts;
}

const TYPE_NAMES: Readonly<Record<number, string>> = { 16: 'large page', 24: 'supersection' };
