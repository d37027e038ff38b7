import { present } from '@tablewalk/base';
import { acknowledgeIpi, exitProcess, merge, order, processesKey, read, sendIpi } from '@tablewalk/contracts';
import type { ProgramContext, Programs, Routine, Slots, View } from '@tablewalk/contracts';
import type { Cast, MachineStory, Models, Overrides } from './story.ts';
import { Variable } from './variable.ts';

/** MODULES_VADDR of the machine: in the user's top GiB, whose pgd entry is 2. */
const MODULE = 0xbf00_0000;
const DEVICE = 0x4800_0000;
/** A page of the stack, in the same GiB. */
const STACK = 0xbe00_0000;
const PROCESS = 1;

const SWAPPERS_PAGE_FREED = 'a page of tables was freed that init_mm uses';
const READ_FREED = 'a walker read a descriptor in a page of tables that had been freed';
const WROTE_FREED = 'an entry was stored in a page of tables that had been freed';
const LOST = 'the process has exited, and fewer pages are free than before there was one';
const OOPS = 'the code of a module was not there: an oops in its interrupt handler';

const pgd = (knobs: object): Overrides => ({ 'slots.pgd': { use: 'pgd-arm-lpae-merged', ...knobs } });
const ONE_CPU: Overrides = { cpus: 1 };

/**
 * HB-21 of spec/historical-bugs-mapping.md; spec/page-tables.md, 5.6.
 *
 * 1. Nobody has used the mm since exit_mm, but the CPU keeps its pgd in TTBR0: as active_mm, until the next switch.
 *    mm_users is 0, so that exit_mmap runs; mm_count is not, and the last who switches away runs pgd_free (mmdrop).
 * 2. Which order of flush and free: when the LPAE patches were proposed, pmd_free_tlb of arch/arm/include/asm/tlb.h
 *    was pmd_free, at once (Linux commit 06824ba824b3, February 2011, put off pages of ptes alone). As merged, and
 *    since, __pmd_free_tlb puts the page of pmds into the gather: flush_tlb_mm, and then it is freed.
 * 3. The ASID of the flush names the walks through the dying pgd, so that with this order no walk is left in a freed
 *    page, and on one CPU the flag is enough. It is not on two. do_translation_fault takes no lock: a kernel thread
 *    that has the mm as active_mm has done pmd_offset, and stores the module's entry when the page is gone.
 * 4. With the ceiling the page stays until pgd_free, which nobody runs while a CPU has the pgd.
 * 5. pgd_free flushes nothing, then or now. A walk that nobody asked for may have begun before the switch; that it is
 *    over long before mmdrop is taken for granted, and said here by an invalidation of the CPU's own. `long-walk`
 *    does not take it for granted.
 */
export const lpaeDyingPgd: MachineStory = {
  kind: 'machine',
  id: 'lpae-dying-pgd',
  title: 'a task exits, and an interrupt needs the page of pmds that it shares with modules',
  source:
    'C. Marinas, "[PATCH 2/2] arm: Set the page table freeing ceiling to TASK_SIZE", linux-mm, 18 February 2013, ' +
    'and the answer to H. Dickins a day later; Linux 3.3 to 3.10 arch/arm/mm/pgd.c, arch/arm/include/asm/tlb.h',
  about:
    'Under LPAE an entry of the first level covers a GiB, and user space has its top one in common with modules. So ' +
    'every mm has a page of pmds there, to which faults add what modules have. free_pgtables freed it with the ' +
    'rest, for it knew no ceiling, and that while the CPU still has the pgd in TTBR0. An interrupt whose handler is ' +
    "in a module then finds no entry, and copies init_mm's. pgd_free must not take that for its own; and whoever " +
    'is in the page already, a walker or a fault of another CPU, must not find it freed. A module that is loaded, a ' +
    'task that exits, an interrupt on its CPU at any time; where there is a second CPU, a kernel thread that has ' +
    'borrowed the tables and runs into the module as well.',
  machine: 'cortex-a15-smp',
  set: { checkers: ['checker-table-use-after-free', 'checker-table-page-leak'] },
  setBy: {
    'no-flag': { ...ONE_CPU, ...pgd({ swapperFlag: false, ceiling: false }) },
    'freed-first': { ...ONE_CPU, ...pgd({ ceiling: false }) },
    flag: pgd({ ceiling: false }),
    'flag-up': { ...ONE_CPU, ...pgd({ ceiling: false }) },
    'long-walk': { ...ONE_CPU, ...pgd({}) },
    'ceiling-up': { ...ONE_CPU, ...pgd({}) },
    ceiling: pgd({}),
  },
  // The module's address and the stack's may be walked for when nobody asks, on the CPU of the exit.
  freedom: { speculativeWalks: [MODULE, STACK].map((va) => ({ cpu: 0, va })) },
  variants: {
    'no-flag': {
      verdict: 'violated',
      what: 'no ceiling, and pgd_free takes every entry below PAGE_OFFSET for its own',
      rule: SWAPPERS_PAGE_FREED,
    },
    'freed-first': {
      verdict: 'violated',
      what: 'no ceiling, L_PGD_SWAPPER; the page of pmds is freed before TLBs are flushed, as proposed in 2011',
      rule: READ_FREED,
    },
    flag: {
      verdict: 'violated',
      what: 'no ceiling, L_PGD_SWAPPER, flush first: Linux 3.3 to 3.8, on two CPUs',
      rule: WROTE_FREED,
    },
    'long-walk': {
      verdict: 'violated',
      what: 'as ceiling, and a walk that began before the switch may last until pgd_free, which flushes nothing',
      rule: READ_FREED,
    },
    'ceiling-up': { verdict: 'holds', what: 'free_pgtables stops at TASK_SIZE: Linux 3.10, on one CPU' },
    ceiling: { verdict: 'holds', what: 'the same on two CPUs' },
    'flag-up': { verdict: 'holds', what: 'no ceiling, L_PGD_SWAPPER, flush first, on one CPU' },
  },
  survivors: [
    {
      named: /, CompleteBarrier: /,
      why: 'a barrier orders stores and walks, and here each of them is a step',
    },
    {
      named: /step (5|10), InvalidateTlb: after the next/,
      why: 'the next step is a barrier, or mm_count, and the pages are freed after that',
    },
    {
      named: /step (7|16), FreePage: after the next/,
      why: "the next step reads init_mm's pgd, or gives back the first level: nobody asks for a page meanwhile",
    },
    {
      named: /, ExitProcess: /,
      why: 'nobody waits for the process, and what it has lost is asked at that step',
    },
    { named: /, AcknowledgeIpi: /, why: 'the device does not wait until it is served' },
    {
      named: /, CopyPmd: /,
      why: 'the access faults again, and is mended then; where it never is that is a livelock, which is not seen',
    },
  ],
  build(slots, variant, { cpus }, models) {
    const said = {
      oops: new Variable('oops', [0]),
      count: new Variable('mm_count', [cpus]),
      before: new Variable('free pages before', [0]),
    };
    const lost = (view: View): boolean =>
      view(processesKey)[PROCESS]?.phase === 'exited' &&
      slots.frames.freePages(view) !== said.before.at(view);
    const lazy = cpus > 1;
    return {
      programs: programsOf(slots, models, said, {
        freedFirst: variant === 'freed-first',
        walksEnd: variant !== 'long-walk',
      }),
      components: Object.values(said).map(({ named }) => named),
      underTest: ['story/exit', 'story/module-handler'],
      play: {
        scene: [
          { process: PROCESS, name: 'exits' },
          { cpu: 0, program: 'story/scene', args: [] },
          ...Array.from({ length: cpus }, (_, cpu) => ({ cpu, program: 'story/run', args: [] })),
        ],
        tasks: [
          { name: 'exit', cpu: 0, program: 'story/exit', args: [] },
          { name: 'device', cpu: 0, program: 'story/interrupt', args: [] },
          ...(lazy ? [{ name: 'kernel thread', cpu: 1, program: 'story/kernel-thread', args: [] }] : []),
        ],
        never: [
          { rule: OOPS, when: (view) => said.oops.at(view) !== 0 },
          { rule: LOST, when: lost },
        ],
      },
    } satisfies Cast;
  },
};

/** What is before what, beside the policy. */
interface Kernel {
  /** Pages of tables are freed before TLBs are flushed. */
  readonly freedFirst: boolean;
  /** A walk that began before the last switch is over when pgd_free runs. */
  readonly walksEnd: boolean;
}

interface Said {
  readonly oops: Variable;
  readonly count: Variable;
  readonly before: Variable;
}

function programsOf(
  slots: Slots,
  { tlb }: Models,
  { oops, count, before }: Said,
  { freedFirst, walksEnd }: Kernel,
): Programs {
  const { mm, asid, frames, shootdown, 'page-table': table } = slots;

  /** The module runs, with do_translation_fault where its address is not mapped. */
  function* runModule(context: ProgramContext): Routine {
    for (;;) {
      yield* merge('module');
      const outcome = yield* tlb.access(context, MODULE, false);
      if (outcome.kind === 'done') return yield* merge('ran');
      if (!(yield* slots.pgd.translationFault(context, MODULE))) return yield* oops.store(1);
    }
  }
  /** The switch to a task with tables of its own, here init_mm's; then mmdrop of the mm that was borrowed. */
  function* switchAway(context: ProgramContext): Routine {
    yield* asid.switchMm(context, 0);
    // ASIDs are the numbers of the address spaces.
    if (walksEnd) yield* order(slots.tlb.invalidate(context.cpu, 'asid', PROCESS, 0, 0));
    if ((yield* count.swap((users) => users - 1)) !== 1) return;
    yield* slots.pgd.free(context, PROCESS);
    yield* order(exitProcess(PROCESS, context.cpu));
  }

  return {
    *scene(context) {
      yield* present(table.pgd, 'first-level tables').boot(context);
      yield* before.store(yield* read((view) => frames.freePages(view), 'free pages'));
      yield* mm.create(context, PROCESS);
      yield* table.populate(context, PROCESS, STACK);
      yield* present(table.kernel, 'kernel mappings').setSections(context, MODULE, DEVICE);
    },
    *run(context) {
      yield* asid.switchMm(context, PROCESS);
    },

    /** exit_mmap, whose pages went before; then another task. */
    *exit(context) {
      const tables = yield* slots.pgd.freePgtables(context, PROCESS);
      if (freedFirst) for (const pfn of tables) yield* frames.free(pfn);
      yield* shootdown.flushTlbMm(context, PROCESS);
      if (!freedFirst) for (const pfn of tables) yield* frames.free(pfn);
      yield* switchAway(context);
    },
    *interrupt({ cpu }) {
      yield* order(sendIpi(cpu, cpu, 'story/module-handler', []));
    },
    *'module-handler'(context) {
      yield* runModule(context);
      yield* order(acknowledgeIpi(context.args[0] as number, context.cpu));
    },
    *'kernel-thread'(context) {
      yield* runModule(context);
      yield* switchAway(context);
    },
  };
}
