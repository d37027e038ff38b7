import { awaitUntil, cpusKey, preemptDisable, preemptEnable, read } from '@tablewalk/contracts';
import type { ProgramContext, Programs, Routine, Slots } from '@tablewalk/contracts';
import type { Cast, Freedom, MachineStory, Models, Overrides } from './story.ts';
import { Variable } from './variable.ts';

const PAGE = 4096;
/** What a pair of first-level words covers. */
const PAIR = 2 ** 21;
/** Of stacks, and of what else is mapped. */
const FRAME = 0x4800_0000;
/** VMALLOC_START of the machine, and of one with two megabytes of RAM. */
const [VA, VA_OF_SMALL] = [0xf080_0000, 0xc080_0000];

/** Who calls fork, who runs on the other CPU, and a third. A kernel thread has no mm, and borrows the one before. */
const [FORKS, RUNS, OTHER] = [1, 2, 3];
const NO_MM = 0;

const RECURSIVE = 'an abort on a stack that is not mapped: its handler pushes there, and aborts again';
const OOPS = 'a fault at the address of a stack, and nothing in init_mm';
const ASTRAY = 'a thread runs in the tables of another process';

/** Stacks in lowmem are in every first level since boot; the new one is in vmalloc space. */
interface Thread {
  readonly mm: number;
  readonly stack: 'lowmem' | 'new';
}
interface Scene {
  /** What CPU 1 switches to, one after the other, from a thread of `RUNS`. */
  readonly turns: readonly Thread[];
  readonly lazyTlbHook?: boolean;
  readonly dummyRead?: boolean;
  /** Beside the fork: another mapping; one before it that fails; one in the scene, so that all tables are behind. */
  readonly beside?: 'mapping' | 'failure' | 'filler';
}
const NEW_PROCESS: Thread = { mm: OTHER, stack: 'new' };
const NEW_THREAD: Thread = { mm: RUNS, stack: 'new' };
const NEW_KTHREAD: Thread = { mm: NO_MM, stack: 'new' };
const BACK: Thread = { mm: RUNS, stack: 'lowmem' };
const THIRD: Thread = { mm: OTHER, stack: 'lowmem' };

const SCENES: Readonly<Record<string, Scene>> = {
  'lazy-fault-only': { turns: [NEW_PROCESS] },
  'seq-and-hook': { turns: [THIRD, NEW_KTHREAD, BACK], lazyTlbHook: true },
  'no-hook': { turns: [NEW_KTHREAD] },
  'same-process': { turns: [NEW_THREAD], lazyTlbHook: true },
  'dummy-read': { turns: [NEW_THREAD, THIRD, NEW_KTHREAD, BACK], dummyRead: true },
  'dummy-read-only': { turns: [NEW_KTHREAD, THIRD], dummyRead: true },
  'added-beside': { turns: [NEW_PROCESS], lazyTlbHook: true, beside: 'mapping' },
  'added-beside-read': { turns: [NEW_PROCESS], dummyRead: true, beside: 'mapping' },
  'added-beside-back': {
    turns: [NEW_PROCESS, BACK],
    lazyTlbHook: true,
    dummyRead: true,
    beside: 'mapping',
  },
  'error-path': { turns: [NEW_PROCESS], lazyTlbHook: true, beside: 'failure' },
  'error-path-synced': { turns: [NEW_PROCESS, BACK], lazyTlbHook: true, beside: 'failure' },
  relaxed: { turns: [THIRD, NEW_KTHREAD], lazyTlbHook: true, beside: 'filler' },
  acquire: { turns: [THIRD, NEW_KTHREAD, BACK], lazyTlbHook: true, beside: 'filler' },
};
const PAGES: Overrides = { 'slots.ioremap': 'ioremap-pages' };
const SMALL: Overrides = { 'memory.ram': '2MiB' };
const seq = (knobs: object): Overrides => ({ 'slots.ioremap': { use: 'ioremap-pages-seq', ...knobs } });

/** The walker of CPU 1 may walk for the stack when nobody asks, and its TLB may lose it. */
const freeAt = (va: number): Freedom => ({
  speculativeWalks: [{ cpu: 1, va }],
  tlbEvictions: [{ cpu: 1, va }],
});

/**
 * HB-25 of spec/historical-bugs-mapping.md, with HB-13 and HB-15; spec/ioremap.md, 4; G4 of spec/page-tables.md, 3.4.
 *
 * 1. A stack is one page, mapped by the policy of slot `ioremap`: vmap and ioremap share the tables and the
 *    number. enter_lazy_tlb and __switch_to are the story's own; a push is a store, and so is the first of a handler.
 * 2. switch_mm does nothing where both threads have one mm, so that the number is not looked at (`same-process`).
 * 3. Each of the two repairs of 5.18 is for what the other does not reach. A dummy read mends the tables that are
 *    loaded, while a handler has the old stack to push on; but where switch_mm loads other tables under a stack of
 *    vmalloc space, nothing reads first (`dummy-read-only`). Both together hold without the hook of enter_lazy_tlb.
 * 4. Who finds the word of his range in init_mm does not count, and whoever added it may not have done so yet
 *    (`added-beside`; IO-4 of spec/ioremap.md is the same on x86). The dummy read mends that on the way to the new
 *    stack. On the way back nothing does: all of 5.18 is on in `added-beside-back`, which the explorer found. It needs
 *    a preemption between the two steps of the other mapping, and a TLB that loses the stack's entry in switch_mm.
 * 5. With the dummy read neither HB-13 nor HB-15 is seen on the way to the stack, and so they are told without it.
 *    What it does not read is the shadow of the stack, where there is KASAN (HB-12).
 */
export const vmapStack: MachineStory = {
  kind: 'machine',
  id: 'vmap-stack',
  title: 'a CPU switches to a stack in vmalloc space that the tables it walks do not have',
  source:
    "A. Biesheuvel, Linux commits d31e23aff011 and a1c510d0adc6, ARM: implement support for vmap'ed stacks (5.18); " +
    '93ee385254d5 (6.13) and 3685024edd27 for the variants relaxed and error-path',
  about:
    'A new thread gets a stack in vmalloc space, in two megabytes that had no first-level word yet. Another CPU ' +
    'switches to it, in tables that were made before. The first push faults; the handler that would copy the word ' +
    'is C code, and pushes on the same stack. So additions to the first level of init_mm are counted, switch_mm and ' +
    'enter_lazy_tlb copy before the switch, and __switch_to reads from the next stack while still on the old one.',
  machine: 'cortex-a9-smp',
  set: { checkers: ['checker-kernel-mapping-divergence'], ...seq({}) },
  setBy: {
    'lazy-fault-only': PAGES,
    'dummy-read-only': PAGES,
    'error-path': { ...SMALL, ...seq({ syncOnError: false }) },
    'error-path-synced': SMALL,
    relaxed: seq({ order: 'relaxed' }),
  },
  freedom: freeAt(VA),
  freedomBy: {
    'error-path': freeAt(VA_OF_SMALL),
    'error-path-synced': freeAt(VA_OF_SMALL),
    relaxed: freeAt(VA + PAIR),
    acquire: freeAt(VA + PAIR),
  },
  variants: {
    'lazy-fault-only': {
      verdict: 'violated',
      what: 'nothing is counted; a fault copies what is missing, when it has a stack',
      rule: RECURSIVE,
    },
    'seq-and-hook': { verdict: 'holds', what: 'additions are counted; switch_mm and enter_lazy_tlb look' },
    'no-hook': {
      verdict: 'violated',
      what: 'switch_mm looks; a kernel thread borrows the tables of the thread before it, without switch_mm',
      rule: RECURSIVE,
    },
    'same-process': {
      verdict: 'violated',
      what: 'switch_mm and enter_lazy_tlb look; both threads have one mm, and switch_mm is skipped',
      rule: RECURSIVE,
    },
    'dummy-read': {
      verdict: 'holds',
      what: 'switch_mm looks, and __switch_to reads from the next stack before it leaves the old one',
    },
    'dummy-read-only': {
      verdict: 'violated',
      what: 'nothing is counted: switch_mm loads tables that lack the stack on which it runs',
      rule: RECURSIVE,
    },
    'added-beside': {
      verdict: 'violated',
      what: 'another mapping has added the word, and has not counted it yet',
      rule: RECURSIVE,
    },
    'added-beside-read': { verdict: 'holds', what: 'the same with the dummy read' },
    'added-beside-back': {
      verdict: 'violated',
      what: 'the same, and back: switch_mm loads tables without the word, and the stack is the new one',
      rule: RECURSIVE,
    },
    'error-path': {
      verdict: 'violated',
      what: 'a mapping that failed has added the word, and did not count it',
      rule: RECURSIVE,
    },
    'error-path-synced': { verdict: 'holds', what: 'a mapping that fails counts what it has added' },
    relaxed: {
      verdict: 'violated',
      what: 'words are copied before the number is read: old words go with a new number',
      rule: RECURSIVE,
    },
    acquire: { verdict: 'holds', what: 'the same with the number read first' },
  },
  // A number is that of different steps where a switch finds tables that are behind, and another does not.
  survivors: [
    {
      named: /(AcquireLock|ReleaseLock) \w+(:0)?: after the next/,
      why: 'one task alone maps here, so that the step next to it may as well be outside',
    },
    {
      named: /, (PopulateKernelPmd|SetKernelHwPte|IncrementSeq): after the next/,
      why: 'a step later is still before the other CPU is told of the stack',
    },
    {
      named: /, StoreLinuxPte: /,
      why: "the walker reads the hardware's word; nobody looks at Linux' own here",
    },
    {
      named: /, CommitArea: /,
      why: 'the barrier: walkers see a store at once here (pte-no-dsb is about those that do not)',
    },
    {
      named: /, SetMmCpumask: /,
      why: 'mm_cpumask is for flushes of the pages of a process, and there are none',
    },
    {
      named: /, PublishSeq: after|switches step (7|26), PublishSeq: dropped/,
      why: 'tables that are not marked as copied, or later, are copied once more, from the same words',
    },
    {
      named: /, CopyKernelWords: after the next/,
      why:
        'published before it is copied: preemption is disabled, and no other CPU looks at the number of this mm; ' +
        'with a third that switches to it the release of the store would matter',
    },
    {
      named: /, SwitchContext: after the next/,
      why: 'the next step enables preemption, or reads where the new stack is: no use of a stack is between',
    },
    {
      named: /, (for the new thread|DisablePreemption|EnablePreemption): after the next/,
      why: 'the next step is part of the switch that looks at no stack, and CPU 1 has no other task',
    },
  ],
  build(slots, variant, _machine, models) {
    const scene = SCENES[variant] as Scene;
    const seen = new Seen();
    const besides = { name: 'vmalloc', cpu: 0, program: 'story/map-beside', args: [] };
    return {
      programs: programsOf(slots, models, seen, scene),
      components: seen.all.map(({ named }) => named),
      underTest: ['story/fork', 'story/switches'],
      play: {
        scene: [
          ...[FORKS, RUNS, OTHER].map((mm) => ({ process: mm, name: `process ${mm}` })),
          { cpu: 0, program: 'story/scene', args: [] },
          { cpu: 0, program: 'story/run', args: [FORKS] },
          { cpu: 1, program: 'story/run', args: [RUNS] },
        ],
        tasks: [
          { name: 'fork', cpu: 0, program: 'story/fork', args: [] },
          { name: 'switches', cpu: 1, program: 'story/switches', args: [] },
          ...(scene.beside === 'mapping' ? [besides] : []),
        ],
        never: [
          { rule: RECURSIVE, when: (view) => seen.recursive.at(view) !== 0 },
          { rule: OOPS, when: (view) => seen.oops.at(view) !== 0 },
          { rule: ASTRAY, when: (view) => seen.astray.at(view) !== 0 },
        ],
      },
    } satisfies Cast;
  },
};

class Seen {
  /** The new stack, once the thread may run. */
  readonly stack = new Variable('stack', [0]);
  readonly recursive = new Variable('recursive abort', [0]);
  readonly oops = new Variable('oops', [0]);
  readonly astray = new Variable('astray', [0]);
  readonly all = [this.stack, this.recursive, this.oops, this.astray];
}

function programsOf(
  { mm, asid, ioremap, pgd, frames }: Slots,
  models: Models,
  seen: Seen,
  { turns, lazyTlbHook = false, dummyRead = false, beside }: Scene,
): Programs {
  const touch = stackAccess(models, { pgd }, seen);

  /** context_switch of kernel/sched: switch_mm or enter_lazy_tlb, then __switch_to. Answers the stack it is on. */
  function* contextSwitch(
    context: ProgramContext,
    activeMm: number,
    from: number,
    next: Thread,
  ): Routine<number> {
    yield* preemptDisable(context);
    if (next.mm !== NO_MM && next.mm !== activeMm) yield* asid.switchMm(context, next.mm);
    if (next.mm === NO_MM && lazyTlbHook) yield* ioremap.checkVmallocSeq(context, activeMm);
    yield* touch(context, from, from);
    const to = next.stack === 'lowmem' ? LOWMEM : yield* seen.stack.load();
    if (dummyRead) yield* touch(context, to, from);
    yield* touch(context, to, to);
    yield* preemptEnable(context);
    const own = next.mm === NO_MM ? activeMm : next.mm;
    const loaded = yield* read((view) => view(cpusKey)[context.cpu]?.mm ?? 0, 'the mm in TTBR0');
    if (loaded !== own) yield* seen.astray.store(1);
    return to;
  }

  return {
    /** The tables of all three are copies from before there was anything in vmalloc space. */
    *scene(context) {
      for (const each of [FORKS, RUNS, OTHER]) yield* mm.create(context, each);
      if (beside === 'filler') yield* ioremap.ioremap(context, FRAME, PAIR - PAGE);
      if (beside !== 'failure') return;
      // One page is left, for one page of tables.
      let last: number | undefined;
      for (let page: number | undefined; (page = yield* frames.allocate('kernel', 0)) !== undefined;)
        last = page;
      if (last !== undefined) yield* frames.free(last);
    },
    *run(context) {
      yield* asid.switchMm(context, context.args[0] as number);
    },

    /** alloc_thread_stack_node, and wake_up_new_task on the other CPU. */
    *fork(context) {
      if (beside === 'failure') yield* ioremap.ioremap(context, FRAME, PAIR + PAGE);
      const stack = yield* ioremap.ioremap(context, FRAME, PAGE);
      yield* seen.stack.store(stack ?? 0);
    },
    *'map-beside'(context) {
      yield* ioremap.ioremap(context, FRAME + PAGE, PAGE);
    },
    *switches(context) {
      let [activeMm, on] = [RUNS as number, LOWMEM];
      for (const next of turns) {
        if (next.stack === 'new')
          yield* awaitUntil('for the new thread', (view) => seen.stack.at(view) !== 0);
        on = yield* contextSwitch(context, activeMm, on, next);
        if (next.mm !== NO_MM) activeMm = next.mm;
      }
    },
  };
}

/** In the place of an address that needs no look. */
const LOWMEM = 0;

/**
 * A push on the stack `at`, or a read from it. The handler of an abort (__dabt_svc, then do_translation_fault) pushes
 * on the stack `on`, before it can do anything.
 */
const stackAccess = ({ tlb }: Models, { pgd }: Pick<Slots, 'pgd'>, { recursive, oops }: Seen) =>
  function* (context: ProgramContext, at: number, on: number): Routine {
    for (; at !== LOWMEM;) {
      const outcome = yield* tlb.access(context, at, at === on);
      if (outcome.kind === 'done') return;
      if (on !== LOWMEM && (yield* tlb.access(context, on, true)).kind === 'fault')
        return yield* recursive.store(1);
      if (outcome.level !== 1 || !(yield* pgd.translationFault(context, at))) return yield* oops.store(1);
    }
  };
