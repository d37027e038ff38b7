import { exitProcess, lock, order, pageTableLock, readAll, readyProcess, unlock } from '@tablewalk/contracts';
import type {
  AsidPlugin,
  Command,
  Component,
  FramesPlugin,
  MmPlugin,
  MmuGatherPlugin,
} from '@tablewalk/contracts';
import type {
  PageTablePlugin,
  PgdPlugin,
  PteView,
  ReclaimPlugin,
  Routine,
  ShootdownPlugin,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import type { ProgramContext } from '@tablewalk/contracts';

/**
 * The life of an address space: created empty, its pages mapped at the first touch, torn down at
 * exit. After do_page_fault and handle_pte_fault (arch/arm/mm/fault.c, mm/memory.c): memory is
 * allocated before page_table_lock is taken, and the entry is looked at again under the lock.
 *
 * Every address below TASK_SIZE is taken to lie in a private, writable, anonymous mapping: a trace
 * does not tell the program's mappings.
 */
export interface DemandPagingConfig {
  /** `teardown`: exit_mmap and pgd_free. `keep`: the address space stays, for counting what a TLB holds at the end. */
  readonly exit: 'teardown' | 'keep';
  /** Pages that a failed allocation asks reclaim for (SWAP_CLUSTER_MAX). */
  readonly reclaimPages: number;
}

export interface DemandPagingDeps {
  readonly frames: FramesPlugin;
  readonly pageTable: PageTablePlugin;
  readonly pgd: PgdPlugin;
  readonly gather: MmuGatherPlugin;
  readonly shootdown: ShootdownPlugin;
  readonly reclaim: ReclaimPlugin;
  readonly asid: AsidPlugin;
}

type Outcome = 'mapped' | 'made-young' | 'made-dirty' | 'spurious' | 'killed';

export function demandPaging(config: DemandPagingConfig, deps: DemandPagingDeps): MmPlugin {
  const { frames, pageTable, pgd, gather, shootdown, reclaim, asid } = deps;

  /** Runs `attempt` until it succeeds, reclaiming between; false when reclaim frees nothing either. */
  function* withReclaim<T>(
    context: ProgramContext,
    attempt: () => Routine<T | undefined>,
  ): Routine<T | undefined> {
    for (;;) {
      const got = yield* attempt();
      if (got !== undefined) return got;
      if ((yield* reclaim.reclaim(context, config.reclaimPages)) === 0) return undefined;
    }
  }

  const pte = (mm: number, va: number): Routine<PteView | undefined> => readPte(pageTable, mm, va);

  function* fault(context: ProgramContext): Routine {
    const { cpu, args } = context;
    const [mm, address, write] = args as [number, number, number];
    const va = Math.floor(address / 4096) * 4096;
    const badArea = badAreaReason(pageTable, address);
    if (badArea !== undefined) return yield* kill(context, mm, address, badArea);
    // Memory first: an allocation may sleep, and page_table_lock is a spinlock.
    const table = yield* withReclaim(context, function* () {
      const [present] = yield* readAll((view) => [Number(pageTable.hasTable(view, mm, va))]);
      return present === 1 || (yield* pageTable.populate(context, mm, va)) ? true : undefined;
    });
    if (table === undefined) return yield* kill(context, mm, address, 'out of memory');
    let page: number | undefined;
    if ((yield* pte(mm, va)) === undefined) {
      page = yield* withReclaim(context, () => frames.allocate('user', 0, { mm, va }));
      if (page === undefined) return yield* kill(context, mm, address, 'out of memory');
    }
    yield* lock(cpu, pageTableLock(mm));
    const { outcome, usedPage } = yield* setEntry(context, mm, va, page, write === 1);
    yield* unlock(cpu, pageTableLock(mm));
    if (page !== undefined && !usedPage) yield* frames.free(page);
    yield* order(noteFault(cpu, mm, va, outcome));
  }

  /** Under page_table_lock: what handle_pte_fault decides once it sees the entry. */
  function* setEntry(
    context: ProgramContext,
    mm: number,
    va: number,
    page: number | undefined,
    write: boolean,
  ): Routine<{ outcome: Outcome; usedPage: boolean }> {
    const entry = yield* pte(mm, va);
    if (entry === undefined) {
      // The entry went between the look without the lock and this one: the access will fault again.
      if (page === undefined) return { outcome: 'spurious', usedPage: false };
      yield* pageTable.setPte(context, mm, va, { pfn: page, young: true, dirty: write, write: true });
      return { outcome: 'mapped', usedPage: true };
    }
    const dirtied = write && !entry.dirty;
    const flushPage = (): Routine => shootdown.flushTlbRange(context, mm, va / 4096, va / 4096 + 1);
    if (entry.young && !dirtied) {
      // flush_tlb_fix_spurious_fault: another CPU made it writable, and this one holds the entry of before.
      if (write) yield* flushPage();
      return { outcome: 'spurious', usedPage: false };
    }
    // ptep_set_access_flags: write the entry, then flush the page whatever the fault was. An entry that was
    // cached while the page was young and clean outlives its ageing, and is read-only.
    yield* pageTable.setPte(context, mm, va, { ...entry, young: true, dirty: entry.dirty || write });
    yield* flushPage();
    return { outcome: dirtied ? 'made-dirty' : 'made-young', usedPage: false };
  }

  function* kill(context: ProgramContext, mm: number, va: number, reason: string): Routine {
    yield* order(killProcess(mm, va, reason));
    yield* exit(context, mm);
  }

  function* exit(context: ProgramContext, mm: number): Routine {
    const { cpu } = context;
    if (config.exit === 'teardown') {
      const tlb = yield* gather.begin(context, mm, true);
      const pages = yield* readAll((view) => pageTable.mappedPages(view, mm));
      for (const va of pages) yield* gather.zapPage(context, tlb, va);
      yield* gather.finish(context, tlb);
      yield* asid.switchMm(context, 0);
      yield* lock(cpu, pageTableLock(mm));
      const tables = yield* pgd.freePgtables(context, mm);
      yield* pgd.free(context, mm);
      // Nothing leads to these any more: no CPU has the first level, and it is gone.
      for (const pfn of tables) yield* frames.free(pfn);
      yield* unlock(cpu, pageTableLock(mm));
    }
    yield* order(exitProcess(mm, cpu));
  }

  return {
    component: mmNotes,
    programs: { fault, exit: (context) => exit(context, context.args[0] as number) },
    *create(context, mm) {
      const made = yield* withReclaim(context, function* () {
        return (yield* pgd.allocate(context, mm)) ? true : undefined;
      });
      if (made === undefined) {
        yield* order(killProcess(mm, 0, 'no memory for a first-level table'));
        yield* order(exitProcess(mm, context.cpu));
        return false;
      }
      yield* order(readyProcess(mm, context.cpu));
      return true;
    },
  };
}

/** Why no mapping can be at an address. Pages below FIRST_USER_ADDRESS are let be where the vectors are elsewhere. */
function badAreaReason({ taskSize, pgd }: PageTablePlugin, address: number): string | undefined {
  if (address >= taskSize) return 'address beyond TASK_SIZE';
  if (pgd?.lowVectors === true && address < pgd.firstUserAddress) return 'address below FIRST_USER_ADDRESS';
  return undefined;
}

/** One atomic look at an entry: nothing, or pfn, young, dirty, write. */
function* readPte(pageTable: PageTablePlugin, mm: number, va: number): Routine<PteView | undefined> {
  const [pfn, young, dirty, write] = yield* readAll((view) => {
    const entry = pageTable.lookup(view, mm, va);
    return entry === undefined
      ? []
      : [entry.pfn, Number(entry.young), Number(entry.dirty), Number(entry.write)];
  });
  return pfn === undefined ? undefined : { pfn, young: young === 1, dirty: dirty === 1, write: write === 1 };
}

type NoteFault = Command & { cpu: number; mm: number; va: number; outcome: Outcome };
const noteFault = (cpu: number, mm: number, va: number, outcome: Outcome): NoteFault => ({
  to: 'mm',
  type: 'NoteFault',
  cpu,
  mm,
  va,
  outcome,
});
type KillProcess = Command & { mm: number; va: number; reason: string };
const killProcess = (mm: number, va: number, reason: string): KillProcess => ({
  to: 'mm',
  type: 'KillProcess',
  mm,
  va,
  reason,
});

const mmNotes: Component<
  Record<string, never>,
  NoteFault | KillProcess,
  VocabularyFactOf<'FaultHandled' | 'ProcessKilled'>
> = {
  evolvesOn: [],
  initial: () => ({}),
  decide(command) {
    if (command.type === 'KillProcess') {
      const { mm, va, reason } = command as KillProcess;
      return [{ type: 'ProcessKilled', mm, va, reason }];
    }
    const { cpu, mm, va, outcome } = command as NoteFault;
    return [{ type: 'FaultHandled', cpu, mm, va, outcome }];
  },
  evolve() {},
};
