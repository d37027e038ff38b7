import { issue, lock, memoryKey, order, read, readMaybe, unlock, wordAt } from '@tablewalk/contracts';
import type { FramesPlugin, PgdTables, ProgramContext, Routine, View } from '@tablewalk/contracts';
import type { MemoryMap } from '@tablewalk/memory-map';
import { PAIR_SIZE, SECTION_SIZE } from './descriptors.ts';
import { ptePageOf } from './pte-page.ts';
import { armShortKey, INIT_MM, linuxPte, linuxPteAddress, pairOf } from './tables.ts';
import { tableOrder, tablesOf, wordAddress } from './tables.ts';
import type { ArmShortConfig, TableFact } from './tables.ts';

const PGD_LOCK = 'pgd_lock';
const PGD_ORDER = 2;

/**
 * First levels of two-level tables (arch/arm/include/asm/pgtable-2level.h, pgalloc.h, arch/arm/mm/pgd.c;
 * spec/page-tables.md, 1.1, 1.8 and 3). The pgd is folded: its entry is the pmd's, a pair of hardware words, is
 * never none and never copied. A copy of a pair is a step a word; clearing one is one step, as who clears it is
 * the last to have the tables.
 */
export function pgdTables(
  config: ArmShortConfig,
  { modulesStart, firstUserAddress }: MemoryMap,
  frames: FramesPlugin,
  populate: (context: ProgramContext, mm: number, va: number) => Routine<boolean>,
): PgdTables {
  const page = ptePageOf(config.pteLayout);
  const lowVectors = config.vectors === 'low';
  const swapper = (view: View): number => view(armShortKey).pgd[INIT_MM] ?? 0;

  function* pgdAlloc(mm: number, from: number, to: number): Routine<boolean> {
    const pfn = yield* frames.allocate('page-table', PGD_ORDER);
    if (pfn === undefined) return false;
    yield* order(tableOrder('AllocatePgd', mm, from, pfn * 4096, (to - from) / SECTION_SIZE));
    return true;
  }

  /** devicemaps_init (arch/arm/mm/mmu.c), where vectors are low: a page of them, and init_mm's entry for it. */
  function* initWithVectors(): Routine<boolean> {
    const vectors = yield* frames.allocate('kernel', 0);
    const table = vectors === undefined ? undefined : yield* frames.allocate('page-table', 0);
    if (vectors === undefined || table === undefined || !(yield* pgdAlloc(INIT_MM, 0, 0))) {
      for (const pfn of [table, vectors]) if (pfn !== undefined) yield* frames.free(pfn);
      return false;
    }
    yield* order(tableOrder('PopulateKernelPmd', INIT_MM, 0, table * 4096));
    const word = page.encodeKernelReadOnly(vectors);
    const linux = table * 4096 + page.linuxTables;
    yield* order(tableOrder('StoreLinuxPte', INIT_MM, 0, linux, word));
    yield* order(tableOrder('SetKernelHwPte', INIT_MM, 0, linux, word));
    return true;
  }

  return {
    pgdirSize: PAIR_SIZE,
    pmdSize: PAIR_SIZE,
    entries: 2 ** 32 / PAIR_SIZE,
    modulesStart,
    firstUserAddress,
    lowVectors,
    swapper,

    /** swapper_pg_dir, which the first process does not find; two CPUs must not both make one. */
    *boot({ cpu }) {
      yield* lock(cpu, PGD_LOCK);
      const booted = yield* read((view) => Number(swapper(view) !== 0), 'swapper_pg_dir');
      const ready = booted === 1 || (yield* lowVectors ? initWithVectors() : pgdAlloc(INIT_MM, 0, 0));
      yield* unlock(cpu, PGD_LOCK);
      return ready;
    },

    allocate: (_context, mm, from, to) => pgdAlloc(mm, from, to),
    *free(_context, mm) {
      const pgd = yield* readMaybe((view) => view(armShortKey).pgd[mm], 'pgd');
      if (pgd === undefined) return;
      yield* order(tableOrder('FreePgd', mm, 0, pgd));
      yield* frames.free(pgd / 4096);
    },
    *copyFromInit(_context, mm, from, to) {
      const pgd = yield* read((view) => view(armShortKey).pgd[mm] ?? 0, `pgd of mm ${mm}`);
      yield* order(tableOrder('CopyKernelWords', mm, from, pgd, (to - from) / SECTION_SIZE));
    },

    pgdNone: () => false,
    pmdNone: (view, pgd, va) => wordAt(view(memoryKey), wordAddress(pgd, va)) === 0,
    divergent(view, pgd, from, to) {
      const memory = view(memoryKey);
      const found: number[] = [];
      for (let va = from - (from % SECTION_SIZE); va < to; va += SECTION_SIZE) {
        const own = wordAt(memory, wordAddress(pgd, va));
        if (own !== 0 && own !== wordAt(memory, wordAddress(swapper(view), va))) found.push(va);
      }
      return found;
    },
    *copyPgd() {},
    *copyPmd(_context, mm, pgd, va) {
      for (const half of [0, SECTION_SIZE])
        yield* order(tableOrder('CopyKernelWords', mm, pairOf(va) + half, pgd, 1));
    },

    isSwapperEntry: () => false,
    *populatePgd() {
      return true;
    },
    *clearPgd() {
      return undefined;
    },
    *clearPmd(_context, mm, va) {
      const [page] = yield* issue<TableFact>(tableOrder('ClearPmd', mm, va, 0), (facts) =>
        facts.flatMap((fact) => (fact.type === 'PmdCleared' ? [fact.table / 4096] : [])),
      );
      return page;
    },
    pgdTables: () => [],
    pmdTables: (view, mm, from, to) => tablesOf(view, mm, to).filter((va, i) => i % 2 === 0 && va >= from),
    setSection: (_context, mm, va, pa) => order(tableOrder('StoreSection', mm, va, pa)),

    /** The last part of pgd_alloc: pte_alloc_map for address 0, then set_pte_ext with init_mm's entry. */
    *mapLowVectors(context, mm) {
      if (!(yield* populate(context, mm, 0))) return false;
      const word = yield* read((view) => linuxPte(view, INIT_MM, 0), "init_mm's pte of the vectors");
      const address = yield* read((view) => linuxPteAddress(view, mm, 0) ?? 0, 'where the pte is');
      yield* order(tableOrder('StoreLinuxPte', mm, 0, address, word));
      yield* order(tableOrder('StoreVectorsHwPte', mm, 0, address, word));
      return true;
    },
  };
}
