import type { TableFormat } from '@tablewalk/contracts';
import type { DumpRoot } from './meta.ts';
import type { TableDump } from './dump.ts';

/** An entry of a root's tables that is not what init_mm has in its place. */
export interface EntryDifference {
  /** 1: pgd entry, or the hardware word of a pair; 2: pmd entry of the GiB that modules share with user space. */
  readonly level: 1 | 2;
  readonly index: number;
  /** First virtual byte address below the entry. */
  readonly va: number;
  readonly here: EntryWord;
  readonly swapper: EntryWord;
  /** Would do_translation_fault, at an access of the kernel, make it what init_mm has? */
  readonly mended: boolean;
  readonly why: string;
}
/** A descriptor; `hi` is 0 in formats of 32 bits. */
export interface EntryWord {
  readonly pa: number;
  readonly lo: number;
  readonly hi: number;
}

const MODULES_BYTES = 16 * 2 ** 20;
/** TASK_SIZE of a kernel whose modules have 16 MiB below PAGE_OFFSET, which is every one but a Thumb-2 kernel. */
export const taskSizeOf = ({ meta }: TableDump): number => meta.page_offset - MODULES_BYTES;

export const swapperRoot = ({ meta }: TableDump): DumpRoot | undefined =>
  meta.roots.find(({ users }) => users.some(({ what }) => what === 'swapper_pg_dir'));

/**
 * How the kernel part of a root differs from init_mm's: first-level entries from TASK_SIZE up in the short format;
 * in the long one pgd entries from PAGE_OFFSET up, and pmd entries of modules and pkmap in the GiB below it.
 *
 * @throws TableDumpError TABLES_PAGE_ABSENT
 */
export function kernelEntryDifferences(
  dump: TableDump,
  format: TableFormat,
  root: number,
): EntryDifference[] {
  const swapper = swapperRoot(dump)?.pa;
  if (swapper === undefined) return [];
  const from = taskSizeOf(dump);
  if (format.wordBytes === 4)
    return differences(dump, 4, {
      level: 1,
      here: root,
      swapper,
      first: from / 2 ** 20,
      to: 4096,
      shift: 20,
      va: 0,
    });
  const gib = Math.floor(from / 2 ** 30);
  const pgds = differences(dump, 8, {
    ...{ level: 1, here: root, swapper, shift: 30, va: 0 },
    first: Math.floor(dump.meta.page_offset / 2 ** 30),
    to: 4,
  });
  const [ours, theirs] = [wordAt(dump, 8, root + 8 * gib), wordAt(dump, 8, swapper + 8 * gib)];
  if (!isTable(ours) || !isTable(theirs))
    return [
      ...pgds,
      ...differences(dump, 8, { level: 1, here: root, swapper, shift: 30, va: 0, first: gib, to: gib + 1 }),
    ];
  const pmds = differences(dump, 8, {
    ...{ level: 2, here: tableOf(ours), swapper: tableOf(theirs), shift: 21, va: gib * 2 ** 30 },
    first: Math.floor((from % 2 ** 30) / 2 ** 21),
    to: 512,
  });
  return [...pmds, ...pgds];
}

interface Part {
  readonly level: 1 | 2;
  /** Physical byte addresses of the two tables. */
  readonly here: number;
  readonly swapper: number;
  /** Entries `[first, to)`; each covers 2^shift bytes, entry 0 from `va` on. */
  readonly first: number;
  readonly to: number;
  readonly shift: number;
  readonly va: number;
}

function differences(dump: TableDump, bytes: 4 | 8, part: Part): EntryDifference[] {
  const found: EntryDifference[] = [];
  for (let index = part.first; index < part.to; index++) {
    const here = wordAt(dump, bytes, part.here + bytes * index);
    const swapper = wordAt(dump, bytes, part.swapper + bytes * index);
    if (here.lo === swapper.lo && here.hi === swapper.hi) continue;
    const va = part.va + index * 2 ** part.shift;
    found.push({ level: part.level, index, va, here, swapper, ...mending(here, swapper) });
  }
  return found;
}

/** do_translation_fault runs only where a walk ends at this entry, and never takes anything away. */
function mending(here: EntryWord, swapper: EntryWord): { mended: boolean; why: string } {
  if (!isNone(here) && isNone(swapper))
    return {
      mended: false,
      why: 'init_mm has none: walks go on through the entry here, and no fault is taken',
    };
  if (!isNone(here))
    return { mended: false, why: 'walks go on through the entry here, and no fault is taken' };
  return { mended: true, why: "none here: the first access faults, and init_mm's is copied" };
}

const isNone = ({ lo }: EntryWord): boolean => (lo & 0b11) === 0;
const isTable = ({ lo }: EntryWord): boolean => (lo & 0b11) === 0b11;
const tableOf = ({ lo, hi }: EntryWord): number => (hi & 0xff) * 2 ** 32 + ((lo & 0xffff_f000) >>> 0);

const wordAt = ({ pages }: TableDump, bytes: 4 | 8, pa: number): EntryWord => ({
  pa,
  lo: pages.read32(pa),
  hi: bytes === 8 ? pages.read32(pa + 4) : 0,
});
