import {
  awaitUntil,
  disableIrqs,
  enableIrqs,
  order,
  preemptDisable,
  preemptEnable,
} from '@tablewalk/contracts';
import type { ProgramContext, Programs, Routine, Slots } from '@tablewalk/contracts';
import type { Cast, MachineStory, Models, Overrides } from './story.ts';
import { Variable } from './variable.ts';

const [DEVICE_1, DEVICE_2] = [0x4000_0000, 0x4040_0000];
/** VMALLOC_START of the machine: the first range that is handed out. */
const VA = 0xf080_0000;
/** Address spaces: of the task that maps and unmaps, and of those that run where the new driver is called. */
const [MAPPER, RUNNING, NEXT] = [1, 2, 3];

const UP: Overrides = { cpus: 1, 'slots.ioremap': 'ioremap-sections-vmalloc-seq' };
const ipi = (knobs: object = {}): Overrides => ({
  'slots.ioremap': { use: 'ioremap-sections-ipi', ...knobs },
});
const WRONG_DEVICE = 'an address led to another device than the one that is mapped there';

/**
 * HB-20 of spec/historical-bugs-mapping.md, IO-1 of spec/ioremap.md, 3. The range is the same for both devices, as
 * the first that fits is taken. Pages: one page, for a section is 512 of them.
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
  },
  build(slots, variant, { cpus }, models) {
    const given = new Variable('given', [0]);
    const bytes = variant.startsWith('pages') ? 4096 : 2 ** 21;
    const user = cpus - 1;
    const task = (name: string, cpu: number, program: string) => ({
      name,
      cpu,
      program: `story/${program}`,
      args: [],
    });
    return {
      programs: programsOf(slots, models, given, bytes),
      components: [given.named],
      play: {
        scene: [
          ...[MAPPER, RUNNING, NEXT].map((mm) => ({ process: mm, name: `task ${mm}` })),
          { cpu: 0, program: 'story/scene', args: [] },
          { cpu: user, program: 'story/use', args: [RUNNING] },
          { cpu: 0, program: 'story/use', args: [MAPPER] },
        ],
        tasks: [
          task('iounmap, ioremap', 0, variant === 'ipi-irqs-off' ? 'exchange-irqs-off' : 'exchange'),
          ...(cpus > 1
            ? [task('task B', 1, 'running-on')]
            : [task('task B', 0, 'time-slice'), task('task B again', 0, 'called-in-time-slice')]),
        ],
      },
    } satisfies Cast;
  },
};

function programsOf(slots: Slots, { tlb }: Models, given: Variable, bytes: number): Programs {
  const { mm, asid, ioremap } = slots;

  /** A load by a driver, and do_translation_fault behind it. */
  function* drive(context: ProgramContext, va: number): Routine {
    for (;;) {
      const outcome = yield* tlb.access(context, va, false);
      if (outcome.kind === 'done' || outcome.level !== 1) return;
      if (!(yield* ioremap.kernelFault(context, va))) return;
    }
  }
  function* exchange(context: ProgramContext): Routine {
    yield* ioremap.iounmap(context, VA);
    const va = yield* ioremap.ioremap(context, DEVICE_2, bytes);
    yield* given.store(va ?? 0);
  }
  /** The new driver is called: "use this address". */
  function* called(context: ProgramContext): Routine {
    const va = yield* given.load();
    yield* drive(context, va);
  }
  const isGiven = (): Routine => awaitUntil('for the new driver', (view) => given.at(view) !== 0);

  return {
    /** The tasks come to be when the old driver is there: their first levels are copies with its section. */
    *scene(context) {
      yield* mm.create(context, MAPPER);
      yield* ioremap.ioremap(context, DEVICE_1, bytes);
      for (const each of [RUNNING, NEXT]) yield* mm.create(context, each);
    },
    /** A CPU that uses the old driver, so that its TLB knows it. */
    *use(context) {
      yield* asid.switchMm(context, context.args[0] as number);
      yield* drive(context, VA);
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
