import { issue, lock, order, pageTableLock, read, unlock } from '@tablewalk/contracts';
import type { FramesPlugin, PgdTables, ProgramContext, Routine, View } from '@tablewalk/contracts';
import type { MemoryMap } from '@tablewalk/memory-map';
import { PGDIR_SIZE, PMD_SIZE, PTRS_PER_PGD } from './geometry.ts';
import { Hi, isTable, kernelBlock } from './linux-bits.ts';
import { lpaeOrder } from './orders.ts';
import type { LpaeFact, LpaeOrder } from './orders.ts';
import { divergent, INIT_MM, pgdEntry, pgdNone, pgdOf, pgdTablesOf, pmdAddress, pmdNone } from './tables.ts';
import { pmdTablesOf } from './tables.ts';

const PGD_LOCK = 'pgd_lock';

/** The entries of a pgd that meet `[from, to)`. */
const entriesIn = (from: number, to: number): number =>
  to <= from ? 0 : Math.ceil(to / PGDIR_SIZE) - Math.floor(from / PGDIR_SIZE);

/**
 * First levels of three-level tables, entry by entry (arch/arm/include/asm/pgtable-3level.h, pgalloc.h,
 * arch/arm/mm/pgd.c; spec/page-tables.md, 5). A pgd of 32 bytes is cut from a slab; a store is of 64 bits.
 */
export function lpaePgdTables(map: MemoryMap, frames: FramesPlugin): PgdTables {
  const swapper = (view: View): number => pgdOf(view, INIT_MM);

  return {
    pgdirSize: PGDIR_SIZE,
    pmdSize: PMD_SIZE,
    entries: PTRS_PER_PGD,
    modulesStart: map.modulesStart,
    firstUserAddress: map.firstUserAddress,
    lowVectors: false,
    swapper,

    /** swapper_pg_dir is part of the image and needs no memory; two CPUs must not both write it. */
    *boot({ cpu }) {
      yield* lock(cpu, PGD_LOCK);
      const booted = yield* read((view) => Number(swapper(view) !== 0), 'swapper_pg_dir');
      if (booted === 0) yield* order(lpaeOrder('BootSwapper', INIT_MM));
      yield* unlock(cpu, PGD_LOCK);
      return true;
    },

    *allocate(_context, mm, from, to) {
      const allocate = lpaeOrder('AllocatePgd', mm, { va: from, count: entriesIn(from, to) });
      for (;;) {
        const [pgd] = yield* pick(allocate, (fact) => (fact.type === 'PgdAllocated' ? fact.pa : undefined));
        if (pgd !== undefined) return true;
        const pfn = yield* frames.allocate('page-table', 0);
        if (pfn === undefined) return false;
        yield* order(lpaeOrder('AddSlab', INIT_MM, { pa: pfn * 4096 }));
      }
    },
    *free(_context, mm) {
      const pages = yield* pick(lpaeOrder('FreePgd', mm), (fact) =>
        fact.type === 'PgdSlabRemoved' ? fact.pa / 4096 : undefined,
      );
      for (const pfn of pages) yield* frames.free(pfn);
    },
    *copyFromInit(_context, mm, from, to) {
      const pgd = yield* read((view) => pgdOf(view, mm), `pgd of mm ${mm}`);
      yield* order(lpaeOrder('CopyPgd', mm, { va: from, pa: pgd, count: entriesIn(from, to) }));
    },

    pgdNone,
    pmdNone,
    divergent,
    copyPgd: (_context, mm, pgd, va) => order(lpaeOrder('CopyPgd', mm, { va, pa: pgd, count: 1 })),
    /** pmd_offset, and then the store: between them another CPU may take the page out of the tables, and free it. */
    *copyPmd(_context, mm, pgd, va) {
      const place = yield* read((view) => pmdAddress(view, pgd, va) ?? 0, 'pmd_offset');
      if (place !== 0) yield* order(lpaeOrder('CopyPmd', mm, { va, pa: place }));
    },

    isSwapperEntry: (view, mm, va) => (pgdEntry(view, pgdOf(view, mm), va).hi & Hi.swapper) !== 0,
    populatePgd: (context, mm, va) => populatePgd(context, frames, mm, va),
    *clearPgd(_context, mm, va) {
      const clear = lpaeOrder('ClearPud', mm, { va });
      const [pfn] = yield* pick(clear, (fact) =>
        fact.type === 'PudCleared' ? fact.table / 4096 : undefined,
      );
      return pfn;
    },
    *clearPmd(_context, mm, va) {
      const clear = lpaeOrder('ClearPmd', mm, { va });
      const [pfn] = yield* pick(clear, (fact) =>
        fact.type === 'PmdCleared' ? fact.table / 4096 : undefined,
      );
      return pfn;
    },
    pgdTables: (view, mm, from, to) =>
      pgdTablesOf(view, pgdOf(view, mm), from, to).filter((va) => va >= from),
    pmdTables: (view, mm, from, to) =>
      pmdTablesOf(view, pgdOf(view, mm), from, to).filter((va) => va >= from),
    setSection: (_context, mm, va, pa) => order(lpaeOrder('StoreBlock', mm, { va, word: kernelBlock(pa) })),
    copyPmdTable: (_context, mm, va) => order(lpaeOrder('CopyPmdTable', mm, { va })),
  };
}

/** __pmd_alloc (mm/memory.c): the page is allocated before page_table_lock is taken, the entry looked at under it. */
export function* populatePgd(
  { cpu }: ProgramContext,
  frames: FramesPlugin,
  mm: number,
  va: number,
): Routine<boolean> {
  const hasTable = (view: View): number => Number(isTable(pgdEntry(view, pgdOf(view, mm), va)));
  if ((yield* read(hasTable, 'pgd entry')) === 1) return true;
  const pfn = yield* frames.allocate('page-table', 0);
  if (pfn === undefined) return false;
  yield* lock(cpu, pageTableLock(mm));
  const there = yield* read(hasTable, 'pgd entry');
  if (there === 0) yield* order(lpaeOrder('PopulatePud', mm, { va, pa: pfn * 4096 }));
  yield* unlock(cpu, pageTableLock(mm));
  if (there === 1) yield* frames.free(pfn);
  return true;
}

/** Gives an order, and takes a number each from some of its facts. */
export function pick(
  command: LpaeOrder,
  from: (fact: LpaeFact) => number | undefined,
): Routine<readonly number[]> {
  return issue<LpaeFact>(command, (facts) => facts.map(from).filter((each) => each !== undefined));
}
