import {
  awaitUntil,
  defineFacts,
  lock,
  merge,
  order,
  pageTableLock,
  readAll,
  sliceKey,
  unlock,
} from '@tablewalk/contracts';
import type {
  Command,
  Component,
  FactsIn,
  ProgramContext,
  Programs,
  PteView,
  Routine,
  Slots,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import type { Cast, MachineStory, Models, Overrides } from './story.ts';
import { Variable } from './variable.ts';

const VA = 0x8000;
const PROCESS = 1;
const [READ, WRITE] = [false, true];
/** What the process does, and how often reclaim comes to its page: to make it old, and to take it. */
const ACCESSES = [WRITE, READ];
const SCANS = 2;

const DROPPED = 'a page that was written was dropped as clean';
const REFUSED = 'a write to a writable mapping was refused';
const OLD = 'the process does not read what it wrote';

const format = (knobs: object): Overrides => ({
  'slots.page-table': { use: 'page-table-arm-lpae', ...knobs },
});
const ONE_CPU: Overrides = { cpus: 1 };

/**
 * HB-24 of spec/historical-bugs-mapping.md; spec/page-tables.md, 1.7 and 5.2, LPAE-1 and LPAE-2.
 *
 * 1. The page is one of a shared, writable mapping whose dirty pages nobody counts, as of shmem. There a clean pte is
 *    writable, and that a process has written is known from the pte alone until try_to_unmap asks it.
 * 2. pte_dirty was a macro of 64 bits, which try_to_unmap_one tests in place. `truncated` asks what becomes of a page
 *    where an int comes between; which code of Linux had one is not known here, as the commits were not read.
 *    pte_young is bit 10, and is always right; so is set_pte_ext, which looks at the upper word. A fault here writes
 *    back what predicates answered, so that an old dirty pte becomes clean as well; Linux changes bits of the word.
 * 3. What do_wp_page does with a writable page that reads as read-only, copy it or use it again, is not told. That it
 *    was called is the mistake: this kernel has no page that waits to be copied.
 * 4. do_page_fault is a task on the CPU of the process, which waits for it. PG_locked is a lock that one spins on: who
 *    holds it may be preempted here.
 */
export const lpaeHighBits: MachineStory = {
  kind: 'machine',
  id: 'lpae-high-bits',
  title: 'a flag above bit 31 of a pte is lost on its way, or shares a bit with what hardware reads',
  source:
    'Linux arch/arm/include/asm/pgtable-3level.h, arch/arm/mm/proc-v7-3level.S of 3.4, 3.16 and 4.9 (L_PTE_RDONLY, ' +
    'pte_isset); mm/memory.c, handle_pte_fault; mm/vmscan.c, shrink_page_list; mm/rmap.c, try_to_unmap_one',
  about:
    'The long descriptors of LPAE have 64 bits, and Linux keeps L_PTE_DIRTY in bit 55. Where pte_dirty is returned ' +
    'as an int of 32 bits, every page is clean: reclaim takes one that a process has written, drops it, and the ' +
    'next fault fetches what was there before. L_PTE_RDONLY had no bit of its own at first, it was AP[2] of ' +
    'hardware; but set_pte_ext has to set AP[2] in a clean pte as well, so that the first write faults. Read back, ' +
    'a writable page is read-only, and its first write one that must be refused. A process writes to a page and ' +
    'reads it; kswapd makes the page old, and takes it.',
  machine: 'cortex-a15-smp',
  setBy: {
    truncated: { ...ONE_CPU, ...format({ truncatedPredicates: true }) },
    'read-only': { ...ONE_CPU, ...format({ generation: 'v3.3' }) },
    'repaired-up': ONE_CPU,
  },
  freedom: { tlbEvictions: [{ cpu: 0, va: VA }] },
  variants: {
    truncated: {
      verdict: 'violated',
      what: 'pte_dirty comes through an int of 32 bits, and is never true',
      rule: DROPPED,
    },
    'read-only': {
      verdict: 'violated',
      what: 'L_PTE_RDONLY is AP[2]: set_pte_ext stores it in a clean writable pte, and pte_write reads it back',
      rule: REFUSED,
    },
    repaired: { verdict: 'holds', what: 'L_PTE_RDONLY is bit 58, and predicates are asked in 64 bits' },
    'repaired-up': { verdict: 'holds', what: 'the same on one CPU' },
  },
  // A number is that of different steps where a fault finds the page mapped or not, and where a scan finds it young.
  survivors: [
    {
      named: /, for a fault: |do-page-fault step (9|12), \w+: dropped$/,
      why:
        'handled before there is a fault, as one for a read, or without a pte or a barrier: where the page is not ' +
        'as the process needs it, it faults once more',
    },
    {
      named: /do-page-fault step (6|7|9|10), .*: after the next/,
      why:
        'the next step reads what nobody changes, is part of the same flush, or gives back a lock: a page that is ' +
        'not mapped is in the hands of who has PG_locked',
    },
    {
      named: /do-page-fault step 11, .*: after the next/,
      why: 'the process goes on while its page is still locked: kswapd waits for the lock, the process does not',
    },
    {
      named: /kswapd step (1|7), AcquireLock PG_locked: after the next/,
      why:
        'page_table_lock first: whoever takes them in the other order does so because the page is not mapped, and ' +
        'before the second scan it always is; with a scan more it is a deadlock',
    },
    {
      named: /step 4, AgePte: dropped/,
      why: 'a page that stays young is kept for longer; which page goes is no matter of this story',
    },
    {
      named: /kswapd step 8, AcquireLock page_table_lock:1: after the next/,
      why:
        'clearYoung reads the pte without the lock, as in the first scan, where that is caught: a page that is ' +
        'young again at the second has been written already',
    },
    {
      named: /kswapd step (5|12|19|21), ReleaseLock \w+(:1)?: after the next/,
      why:
        'a lock is held for a step more, or a frame that is stored is freed when the page may be fetched again, ' +
        'into another frame',
    },
    { named: /, ClearPte: after the next/, why: 'the next step reads the ASID' },
    {
      named: /kswapd step \d+, CompleteBarrier: /,
      why: 'a barrier orders stores and walks, and here each of them is a step',
    },
    {
      named: /kswapd step (16|17), InvalidateTlb: after|step 17, InvalidateTlb: dropped/,
      why: 'the process does not run on CPU 1; that of CPU 0 is still before the page is written back',
    },
  ],
  build(slots, _variant, { cpus }, models) {
    const told = new Told();
    return {
      programs: programsOf(slots, models, told),
      components: [...told.all.map(({ named }) => named), { name: STORE, component: backingStore }],
      underTest: ['story/do-page-fault', 'story/kswapd'],
      play: {
        scene: [
          { process: PROCESS, name: 'process' },
          { cpu: 0, program: 'story/scene', args: [] },
        ],
        tasks: [
          { name: 'process', cpu: 0, program: 'story/process', args: [] },
          { name: 'do_page_fault', cpu: 0, program: 'story/do-page-fault', args: [] },
          { name: 'kswapd', cpu: cpus - 1, program: 'story/kswapd', args: [] },
        ],
        never: [
          { rule: DROPPED, when: (view) => view(storeKey).dropped },
          { rule: REFUSED, when: (view) => told.refused.at(view) !== 0 },
          { rule: OLD, when: (view) => view(storeKey).old },
        ],
      },
    } satisfies Cast;
  },
};

class Told {
  /** What the process waits for do_page_fault with. */
  readonly fault = new Variable('fault', [NONE]);
  readonly refused = new Variable('refused', [0]);
  readonly all = [this.fault, this.refused];
}
const [NONE, READS, WRITES, EXITED] = [0, 1, 2, 3];

function programsOf(slots: Slots, { tlb }: Models, { refused, fault }: Told): Programs {
  const { mm, asid, frames, shootdown, 'page-table': table } = slots;
  const flushPage = (context: ProgramContext): Routine =>
    shootdown.flushTlbRange(context, PROCESS, VA / 4096, VA / 4096 + 1);

  function* readPte(): Routine<PteView | undefined> {
    const [pfn, young, dirty, write] = yield* readAll((view) => {
      const pte = table.lookup(view, PROCESS, VA);
      return pte === undefined ? [] : [pte.pfn, Number(pte.young), Number(pte.dirty), Number(pte.write)];
    }, 'pte');
    return pfn === undefined
      ? undefined
      : { pfn, young: young === 1, dirty: dirty === 1, write: write === 1 };
  }

  /** do_fault: the page is locked until it is mapped. */
  function* fetch(context: ProgramContext, write: boolean): Routine {
    yield* lock(context.cpu, PG_LOCKED);
    const pfn = (yield* frames.allocate('user', 0, { mm: PROCESS, va: VA })) ?? 0;
    yield* order(toStore('Fetch', pfn));
    yield* lock(context.cpu, pageTableLock(PROCESS));
    yield* table.setPte(context, PROCESS, VA, { pfn, young: true, dirty: write, write: true });
    yield* unlock(context.cpu, pageTableLock(PROCESS));
    yield* unlock(context.cpu, PG_LOCKED);
  }
  /** handle_pte_fault, where there is a pte, under page_table_lock. */
  function* setAccessFlags(context: ProgramContext, write: boolean): Routine {
    const pte = yield* readPte();
    if (pte === undefined) return;
    // do_wp_page.
    if (write && !pte.write) return yield* refused.store(1);
    // ptep_set_access_flags.
    yield* table.setPte(context, PROCESS, VA, { ...pte, young: true, dirty: pte.dirty || write });
    yield* flushPage(context);
  }
  function* handlePteFault(context: ProgramContext, write: boolean): Routine {
    if ((yield* readPte()) === undefined) return yield* fetch(context, write);
    yield* lock(context.cpu, pageTableLock(PROCESS));
    yield* setAccessFlags(context, write);
    yield* unlock(context.cpu, pageTableLock(PROCESS));
  }

  /** page_referenced. */
  function* pageReferenced(context: ProgramContext): Routine<boolean> {
    yield* lock(context.cpu, pageTableLock(PROCESS));
    const young = yield* table.clearYoung(context, PROCESS, VA);
    yield* unlock(context.cpu, pageTableLock(PROCESS));
    return young;
  }
  /** try_to_unmap: ptep_clear_flush. */
  function* tryToUnmap(context: ProgramContext): Routine<PteView | undefined> {
    yield* lock(context.cpu, pageTableLock(PROCESS));
    const pte = yield* table.clearPte(context, PROCESS, VA);
    if (pte !== undefined) yield* flushPage(context);
    yield* unlock(context.cpu, pageTableLock(PROCESS));
    return pte;
  }

  /** The process goes on when do_page_fault has returned. */
  function* abort(access: number): Routine {
    yield* fault.store(access);
    yield* awaitUntil('for do_page_fault', (view) => fault.at(view) === NONE);
  }

  return {
    /** The process has read the page once: it is mapped, young and clean. */
    *scene(context) {
      yield* mm.create(context, PROCESS);
      yield* table.populate(context, PROCESS, VA);
      yield* asid.switchMm(context, PROCESS);
      yield* fetch(context, READ);
    },
    *process(context) {
      for (let i = 0; i < ACCESSES.length;) {
        yield* merge('accesses', [i]);
        if ((yield* tlb.access(context, VA, ACCESSES[i] === WRITE)).kind === 'done') i++;
        else yield* abort(ACCESSES[i] === WRITE ? WRITES : READS);
      }
      yield* fault.store(EXITED);
    },
    *'do-page-fault'(context) {
      for (;;) {
        yield* merge('faults');
        yield* awaitUntil('for a fault', (view) => fault.at(view) !== NONE);
        const access = yield* fault.load();
        if (access === EXITED) return;
        yield* handlePteFault(context, access === WRITES);
        yield* fault.store(NONE);
      }
    },
    /** shrink_page_list, with a list of one page. */
    *kswapd(context) {
      for (let scan = 0; scan < SCANS; scan++) {
        yield* merge('scans', [scan]);
        yield* lock(context.cpu, PG_LOCKED);
        const pte = (yield* pageReferenced(context)) ? undefined : yield* tryToUnmap(context);
        if (pte?.dirty === true) yield* order(toStore('WriteBack', pte.pfn));
        if (pte !== undefined) yield* frames.free(pte.pfn);
        yield* unlock(context.cpu, PG_LOCKED);
      }
    },
  };
}

/** lock_page, of the one page: in its frame, or in the backing store. */
const PG_LOCKED = 'PG_locked';

const STORE = 'backing-store';
/** A page has the number of the write that was the last to it. */
interface StoreState {
  newest: number;
  /** In the backing store, and by frame. */
  stored: number;
  frames: Record<number, number>;
  /** A frame was freed with something newer than what is stored; something else than the newest was read. */
  dropped: boolean;
  old: boolean;
}
const storeKey = sliceKey<StoreState>(STORE);
const storeFacts = defineFacts({ PageFetched: { pfn: 'u' }, PageWrittenBack: { pfn: 'u' } });
type StoreFact = FactsIn<typeof storeFacts> | VocabularyFactOf<'AccessPerformed' | 'PageFreed'>;
interface StoreCommand extends Command {
  readonly type: 'Fetch' | 'WriteBack';
  readonly pfn: number;
}
const toStore = (type: StoreCommand['type'], pfn: number): StoreCommand => ({ to: STORE, type, pfn });

/** An access of the process and what it does to the page are one step, so that no write-back is between. */
const backingStore: Component<StoreState, StoreCommand, StoreFact> = {
  facts: storeFacts,
  evolvesOn: ['PageFetched', 'PageWrittenBack', 'AccessPerformed', 'PageFreed'],
  initial: () => ({ newest: 0, stored: 0, frames: {}, dropped: false, old: false }),
  decide: ({ type, pfn }) => [{ type: type === 'Fetch' ? 'PageFetched' : 'PageWrittenBack', pfn }],
  evolve(draft, fact) {
    const pfn = fact.type === 'AccessPerformed' ? Math.floor(fact.pa / 4096) : fact.pfn;
    const content = draft.frames[pfn];
    switch (fact.type) {
      case 'PageFetched':
        draft.frames[pfn] = draft.stored;
        break;
      case 'PageWrittenBack':
        if (content !== undefined) draft.stored = content;
        break;
      case 'AccessPerformed':
        if (fact.write) draft.frames[pfn] = draft.newest += 1;
        else if (content !== draft.newest) draft.old = true;
        break;
      case 'PageFreed':
        if (content !== undefined && content > draft.stored) draft.dropped = true;
        delete draft.frames[pfn];
    }
  },
};
