import { acknowledgeIpi, order, sendIpi } from '@tablewalk/contracts';
import type { ProgramContext, Programs, Routine, Slots } from '@tablewalk/contracts';
import type { Cast, MachineStory, Models, Overrides } from './story.ts';
import { Variable } from './variable.ts';

const DEVICE = 0x4800_0000;
/** VMALLOC_START of the machine: where the registers of the device are. */
const VA = 0xf080_0000;
const PROCESS = 1;

const OOPS = 'a driver got a fault at an address that ioremap has given it';
const LOCKS: Overrides = { 'slots.pgd': { use: 'pgd-arm-classic', faultLock: true } };

/**
 * PT-6 of spec/page-tables.md, 7. __pte_alloc_kernel takes the page_table_lock of init_mm with IRQs on.
 *
 * 1. The handler belongs to a driver whose registers were mapped when the tables of the process were there: its first
 *    access faults, and copies the word.
 * 2. A lock that another CPU holds is only waited for (`other-cpu`), so that the mistake is not seen often.
 */
export const lockInFault: MachineStory = {
  kind: 'machine',
  id: 'lock-in-fault',
  title: 'a translation fault takes the lock that the code it interrupted holds',
  source:
    'do_translation_fault, Linux 2.6.39 arch/arm/mm/fault.c, which takes none; __pte_alloc_kernel, mm/memory.c',
  about:
    "A new second-level table is set into init_mm's first level under its page_table_lock. An interrupt comes " +
    'meanwhile, and its handler reads a register in vmalloc space, whose first-level word this process lacks. Where ' +
    'the fault takes the same lock to copy the word, it waits for the code that it has interrupted. No lock is ' +
    'needed: a word is copied in one store, and is only ever added.',
  machine: 'cortex-a9-smp',
  set: { 'slots.ioremap': 'ioremap-pages' },
  setBy: { locks: LOCKS, 'other-cpu': LOCKS },
  variants: {
    locks: { verdict: 'violated', what: 'the lock is taken, on the CPU that maps', rule: 'deadlock' },
    'no-lock': { verdict: 'holds', what: 'no lock is taken' },
    'other-cpu': { verdict: 'holds', what: 'the lock is taken, and the interrupt comes on another CPU' },
  },
  survivors: [
    {
      named: /(AcquireLock|ReleaseLock) \w+(:0)?: after the next/,
      why: 'the fault takes no lock, and nobody else does: the step next to one may as well be outside',
    },
    {
      named: /, FreePage: /,
      why: 'the page that was not needed, as the table was there: kept, it is lost, and no other harm comes of it',
    },
    {
      named: /, StoreLinuxPte: /,
      why: "the walker reads the hardware's word; nobody looks at Linux' own here",
    },
    {
      named: /, (SetKernelHwPte: after|CommitArea: )/,
      why: 'a step later is before the first use, and walkers see a store at once here (pte-no-dsb)',
    },
    {
      named: /, CopyKernelWords: /,
      why: "a word that was not copied faults once more, and is copied then; the second of the pair is nobody's",
    },
    { named: /, AcknowledgeIpi: /, why: 'the device waits for no answer' },
  ],
  build(slots, variant, _machine, models) {
    const oops = new Variable('oops', [0]);
    const target = variant === 'other-cpu' ? 1 : 0;
    return {
      programs: programsOf(slots, models, oops, target),
      components: [oops.named],
      underTest: ['story/maps', 'story/handler'],
      play: {
        scene: [
          { process: PROCESS, name: 'two threads' },
          { cpu: 0, program: 'story/scene', args: [] },
          ...[0, 1].map((cpu) => ({ cpu, program: 'story/run', args: [] })),
        ],
        tasks: [
          { name: 'ioremap', cpu: 0, program: 'story/maps', args: [] },
          { name: 'device', cpu: target, program: 'story/interrupt', args: [] },
        ],
        never: [{ rule: OOPS, when: (view) => oops.at(view) !== 0 }],
      },
    } satisfies Cast;
  },
};

function programsOf(
  { mm, asid, ioremap, pgd }: Slots,
  { tlb }: Models,
  oops: Variable,
  target: number,
): Programs {
  /** A driver's load, and do_translation_fault behind it. */
  function* load(context: ProgramContext, va: number): Routine {
    for (;;) {
      const outcome = yield* tlb.access(context, va, false);
      if (outcome.kind === 'done') return;
      if (outcome.level !== 1 || !(yield* pgd.translationFault(context, va))) return yield* oops.store(1);
    }
  }

  return {
    /** The registers are mapped behind the back of the process. */
    *scene(context) {
      yield* mm.create(context, PROCESS);
      yield* ioremap.ioremap(context, DEVICE, 4096);
    },
    *run(context) {
      yield* asid.switchMm(context, PROCESS);
    },
    *maps(context) {
      const va = yield* ioremap.ioremap(context, DEVICE + 4096, 4096);
      yield* load(context, va ?? 0);
    },
    *interrupt() {
      yield* order(sendIpi(target, target, 'story/handler', []));
    },
    *handler(context) {
      yield* load(context, VA);
      yield* order(acknowledgeIpi(context.args[0] as number, context.cpu));
    },
  };
}
