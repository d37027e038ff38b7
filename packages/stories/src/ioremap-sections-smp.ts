import {
  awaitUntil,
  cpusKey,
  disableIrqs,
  enableIrqs,
  order,
  preemptDisable,
  preemptEnable,
  tasksKey,
} from '@tablewalk/contracts';
import type { ProgramContext, Programs, Routine, Slots, View } from '@tablewalk/contracts';
import type { Cast, MachineStory, Models, Overrides } from './story.ts';
import { Variable } from './variable.ts';

const [DEVICE_1, DEVICE_2] = [0x4000_0000, 0x4040_0000];
/** VMALLOC_START of the machine: the first range that is handed out. */
const VA = 0xf080_0000;
const MIB = 2 ** 20;
/** Address spaces: of the task that maps and unmaps, and of those that run where the new driver is called. */
const [MAPPER, RUNNING, NEXT] = [1, 2, 3];

const UP: Overrides = { cpus: 1, 'slots.ioremap': 'ioremap-sections-vmalloc-seq' };
const ipi = (knobs: object = {}): Overrides => ({
  'slots.ioremap': { use: 'ioremap-sections-ipi', ...knobs },
});
const WRONG_DEVICE = 'an address led to another device than the one that is mapped there';
const DIVERGENT =
  'a CPU walks an entry for kernel memory that init_mm does not have, and no fault will mend it';
/** The checker looks at the tables as well, and tells the cause before any driver runs. */
const TABLES: Overrides = { checkers: [{ use: 'checker-kernel-mapping-divergence', look: 'tables' }] };
const OOPS = 'a driver got a fault at an address that ioremap has given it';
const NOT_FREE = 'iounmap has returned, and the range is still taken';
const ASTRAY = 'a turn is over, and the CPU is still in the tables of the task that had it';

/**
 * HB-20 of spec/historical-bugs-mapping.md, IO-1 of spec/ioremap.md, 3. The range is the same for both devices, as
 * the first that fits is taken. A driver loads a register of each MiB, for sections come in pairs and are words of
 * their own. Pages: one page, for a pair of sections is 512 of them.
 */
export const ioremapSectionsSmp: MachineStory = {
  kind: 'machine',
  id: 'ioremap-sections-smp',
  title: 'a section that ioremap took away is still in the tables that another CPU walks',
  source:
    'J. Kim, N. Pitre, "Why does unmap_area_sections() depend on !CONFIG_SMP?", linux-arm-kernel, October 2013; ' +
    'comment in arch/arm/mm/ioremap.c since Linux commit ff0daca525dd (2006)',
  about:
    'Every address space has a first-level table of its own, and a section stands in that table alone. ioremap ' +
    "writes init_mm's and lets the others follow by faults; iounmap counts a sequence, by which tables that are " +
    'behind catch up at the next task switch. On SMP a task goes on running on another CPU: its table keeps the ' +
    'section. When the range goes to another device, a driver that is called there reaches the old one, and no ' +
    'fault tells. The thread proposes an IPI that makes every CPU catch up; nobody implemented it.',
  machine: 'cortex-a9-smp',
  set: { checkers: ['checker-kernel-mapping-divergence'] },
  setBy: {
    'seq-up': UP,
    'seq-smp': { 'slots.ioremap': { use: 'ioremap-sections-vmalloc-seq', allowSmp: true } },
    'seq-up-tables': { ...UP, ...TABLES },
    'seq-smp-tables': { ...TABLES, 'slots.ioremap': { use: 'ioremap-sections-vmalloc-seq', allowSmp: true } },
    'ipi-tables': { ...ipi(), ...TABLES },
    'ipi-open-switch-tables': { ...ipi({ switchMasksIrqs: false }), ...TABLES },
    ipi: ipi(),
    'ipi-open-switch': ipi({ switchMasksIrqs: false }),
    'ipi-no-wait': ipi({ waitForAcks: false }),
    'ipi-irqs-off': ipi(),
    'pages-up': { ...UP, 'slots.ioremap': 'ioremap-pages' },
    'pages-smp': { 'slots.ioremap': 'ioremap-pages' },
  },
  // Whoever may use the range: its walker may walk for it when nobody asks, and its TLB may lose it.
  freedom: {
    speculativeWalks: [0, 1].map((cpu) => ({ cpu, va: VA })),
    tlbEvictions: [0, 1].map((cpu) => ({ cpu, va: VA })),
  },
  variants: {
    'seq-up': { verdict: 'holds', what: 'one CPU, two tasks: the sequence is looked at in every switch' },
    'seq-smp': {
      verdict: 'violated',
      what: 'the same with a task that goes on running on another CPU',
      rule: WRONG_DEVICE,
    },
    ipi: { verdict: 'holds', what: 'every CPU catches up in an interrupt before the range is used again' },
    'ipi-open-switch': {
      verdict: 'violated',
      what: 'the interrupt comes between the check of a task switch and the load of TTBR0',
      rule: WRONG_DEVICE,
    },
    'ipi-no-wait': {
      verdict: 'violated',
      what: 'the range is used again before every CPU has acknowledged',
      rule: WRONG_DEVICE,
    },
    'ipi-irqs-off': {
      verdict: 'violated',
      what: 'iounmap is called with IRQs off',
      rule: 'waits for other CPUs to take an interrupt, with its own IRQs off',
    },
    'pages-up': { verdict: 'holds', what: 'pages in a table that all share, on one CPU' },
    'pages-smp': { verdict: 'holds', what: 'pages in a table that all share: what Linux does on SMP' },
    'seq-up-tables': { verdict: 'holds', what: 'as seq-up, and the tables that a CPU walks are looked at' },
    'seq-smp-tables': {
      verdict: 'violated',
      what: 'as seq-smp: the tables tell it when iounmap returns',
      rule: DIVERGENT,
    },
    'ipi-tables': { verdict: 'holds', what: 'as ipi, and the tables are looked at' },
    'ipi-open-switch-tables': {
      verdict: 'violated',
      what: 'as ipi-open-switch: the tables tell it at the load of TTBR0',
      rule: DIVERGENT,
    },
  },
  // A number is that of different steps where one turn finds tables that are behind, and another does not.
  survivors: [
    {
      named: /exchange step (4, ClearKernelWord|7, IncrementSeq): after the next/,
      why: 'the next step reads the other word of the pair, or which tables are active: the answer is the same',
    },
    {
      named: /exchange step (10|15|31), InvalidateTlb: after the next/,
      why:
        'the range is free a step before it is flushed: nobody takes it in that step, and ioremap flushes it again ' +
        'before it is mapped; where that is the flush, the next step reads an address',
    },
    {
      named: /, FreeArea: after the next/,
      why: 'the next step is the TLB look-up of a use after iounmap, and the TLB has nothing of the range any more',
    },
    {
      named:
        /(exchange step 12|called-in-time-slice step 7|story.time-slice step 15), CopyKernelWords: after the next/,
      why:
        'published before it is copied: in a switch nobody can look, as preemption is disabled; the mapper may be ' +
        'preempted there, but comes to the copy and to the flush before it uses the range',
    },
    {
      named: /, PublishSeq: /,
      why: 'tables that are not marked as copied, or a step later, are copied once more, from the same words',
    },
    {
      named: /Lock pgd_lock: after the next/,
      why:
        "the lock is for the making of init_mm's first level, which is there: nobody else takes it, and what is " +
        'read or taken beside it is the same; where step 25 is the flush of ioremap, the next reads an address',
    },
    {
      named: /, StoreKernelSection: after the next/,
      why:
        'nobody knows the address before both words are stored; that the second is behind the barrier of CommitArea ' +
        'is not seen here, where walkers see a store at once',
    },
    {
      named: /, DisablePreemption: after the next/,
      why: 'the next step sets mm_cpumask, which may be done with preemption on',
    },
    {
      named: /-slice step (2|3|11|19), SetMmCpumask: /,
      why: "mm_cpumask is for flushes of a process' pages: what is the kernel's is flushed on every CPU, here one",
    },
    {
      named: /-slice step 6, SetMmCpumask: after the next/,
      why:
        'mm_cpumask as well; where the tables are behind it is their copy, after it was published, and nobody ' +
        'can look, as preemption is disabled',
    },
    {
      named: /called-in-time-slice step (12, CopyKernelWords|13, CopyKernelWords|14, SetMmCpumask): /,
      why:
        'a word that a fault has not copied faults again, and a retry reads no word in its first step; where there ' +
        'was no such fault it is mm_cpumask',
    },
    {
      named: /-slice step (5|6|11), SwitchContext: /,
      why:
        'B has its turn, or its first step, in the tables of the mapper: for the kernel they are as good, and user ' +
        'space is no part of this story; where there was a fault it is a word, as above',
    },
    {
      named: /, EnablePreemption: after the next/,
      why:
        'it is the last step, and stays where it is; where the tables were behind, step 10 loads TTBR0, and may as ' +
        'well do so after mm_cpumask is set for the way back',
    },
  ],
  build(slots, variant, { cpus }, models) {
    const driver = { given: new Variable('given', [0]), oops: new Variable('oops', [0]) };
    const bytes = variant.startsWith('pages') ? 4096 : 2 ** 21;
    const user = cpus - 1;
    const task = (name: string, cpu: number, program: string) => ({
      name,
      cpu,
      program: `story/${program}`,
      args: [],
    });
    return {
      programs: programsOf(slots, models, driver, { cpus, bytes }),
      components: [driver.given.named, driver.oops.named],
      play: {
        scene: [
          ...[MAPPER, RUNNING, NEXT].map((mm) => ({ process: mm, name: `task ${mm}` })),
          { cpu: 0, program: 'story/scene', args: [] },
          // First the mapper: on one CPU it would find all in the TLB, and its own tables would have nothing.
          { cpu: 0, program: 'story/use', args: [MAPPER] },
          { cpu: user, program: 'story/use', args: [RUNNING] },
          { cpu: 0, program: 'story/use', args: [MAPPER] },
        ],
        tasks: [
          task('iounmap, ioremap', 0, variant === 'ipi-irqs-off' ? 'exchange-irqs-off' : 'exchange'),
          ...(cpus > 1
            ? [task('task B', 1, 'running-on')]
            : [task('task B', 0, 'time-slice'), task('task B again', 0, 'called-in-time-slice')]),
        ],
        never: [
          { rule: OOPS, when: (view) => driver.oops.at(view) !== 0 },
          { rule: NOT_FREE, when: (view) => ![0, VA].includes(driver.given.at(view)) },
          ...(cpus > 1 ? [] : [{ rule: ASTRAY, when: leftAstray }]),
        ],
      },
      underTest: [
        ...['story/exchange', 'story/time-slice', 'story/called-in-time-slice'],
        ...['story/running-on', 'ioremap/resync-kernel-entries'],
      ],
    } satisfies Cast;
  },
};

/** On one CPU tasks 1 and 2 have their turns with preemption disabled, and switch back before they enable it. */
const leftAstray = (view: View): boolean =>
  view(cpusKey)[0]?.mm !== MAPPER && [1, 2].every((task) => view(tasksKey)[task]?.preemptCount === 0);

function programsOf(
  slots: Slots,
  { tlb }: Models,
  { given, oops }: { readonly given: Variable; readonly oops: Variable },
  { cpus, bytes }: { readonly cpus: number; readonly bytes: number },
): Programs {
  const { mm, asid, ioremap, pgd } = slots;
  const registers = [0, MIB].filter((offset) => offset < bytes);

  /** A load by a driver, and do_translation_fault behind it: is there a device? */
  function* reach(context: ProgramContext, va: number): Routine<boolean> {
    for (;;) {
      const outcome = yield* tlb.access(context, va, false);
      if (outcome.kind === 'done') return true;
      if (outcome.level !== 1 || !(yield* pgd.translationFault(context, va))) return false;
    }
  }
  /**
   * Between the two a use after iounmap, which is to fault at once (spec/ioremap.md, 2.3, step 3). On one CPU: with
   * two the story is about the other, where no fault tells.
   */
  function* exchange(context: ProgramContext): Routine {
    yield* ioremap.iounmap(context, VA);
    if (cpus === 1) for (const offset of registers) yield* reach(context, VA + offset);
    const va = yield* ioremap.ioremap(context, DEVICE_2, bytes);
    yield* given.store(va ?? 0);
  }
  /** The new driver is called: "use this address". */
  function* called(context: ProgramContext): Routine {
    const va = yield* given.load();
    for (const offset of registers) if (!(yield* reach(context, va + offset))) yield* oops.store(1);
  }
  const isGiven = (): Routine => awaitUntil('for the new driver', (view) => given.at(view) !== 0);

  return {
    /** The tasks come to be when the old driver is there: their first levels are copies with its section. */
    *scene(context) {
      yield* mm.create(context, MAPPER);
      yield* ioremap.ioremap(context, DEVICE_1, bytes);
      for (const each of [RUNNING, NEXT]) yield* mm.create(context, each);
    },
    /** A CPU that uses the old driver, so that its TLB knows it, and the tables of the task. */
    *use(context) {
      yield* asid.switchMm(context, context.args[0] as number);
      for (const offset of registers) yield* reach(context, VA + offset);
    },

    exchange,
    *'exchange-irqs-off'(context) {
      yield* order(disableIrqs(context.cpu));
      yield* exchange(context);
      yield* order(enableIrqs(context.cpu));
    },

    // On another CPU: a task switch at some time, then the interrupt that calls the new driver.
    *'running-on'(context) {
      yield* asid.switchMm(context, NEXT);
      yield* isGiven();
      yield* called(context);
    },

    // On the same CPU another task gets its turn whenever the first may be preempted.
    *'time-slice'(context) {
      yield* preemptDisable(context);
      yield* asid.switchMm(context, RUNNING);
      yield* asid.switchMm(context, MAPPER);
      yield* preemptEnable(context);
    },
    *'called-in-time-slice'(context) {
      yield* isGiven();
      yield* preemptDisable(context);
      yield* asid.switchMm(context, RUNNING);
      yield* called(context);
      yield* asid.switchMm(context, MAPPER);
      yield* preemptEnable(context);
    },
  };
}
