import { present } from '@tablewalk/base';
import { memoryKey, order, wordAt } from '@tablewalk/contracts';
import type { ProgramContext, Programs, Routine, Slots, View, WalkSteps } from '@tablewalk/contracts';
import type { Cast, MachineStory, Models, Overrides } from './story.ts';
import { Variable } from './variable.ts';

/** PHYS_OFFSET, in the GiB of the kernel; the identity map is of the first 2 MiB, where the kernel's image is. */
const PHYS_OFFSET = 0xd000_0000;
const MIB_2 = 2 ** 21;
const PAGE_OFFSET = 0xc000_0000;
/** Kernel text, and lowmem where the identity map is. */
const TEXT = { va: PAGE_OFFSET + 0x8000, pa: PHYS_OFFSET + 0x8000 };
const LOWMEM = { va: PHYS_OFFSET, pa: PHYS_OFFSET + (PHYS_OFFSET - PAGE_OFFSET) };
const [IDMAP, PROCESS] = [1, 2];

const NO_TEXT = 'the kernel runs on the identity map, and its text is not mapped there: a fault without end';
const WRITTEN = "the identity map was written into a table of init_mm's";
const ASTRAY = 'an address of lowmem led to other memory than its own';
const NOT_IDENTITY = 'an address of the identity map led elsewhere than to itself';

const idmap = (kind: string): Overrides => ({ 'slots.pgd': { use: 'pgd-arm-lpae-merged', idmap: kind } });

/**
 * HB-23 of spec/historical-bugs-mapping.md; spec/page-tables.md, 5.5, L5 of 5.8.
 *
 * 1. PHYS_OFFSET is above PAGE_OFFSET here. Then TTBR1 is not used, and every address is walked from TTBR0: with
 *    TTBR1 the kernel would be there whatever the identity map has (arch/arm/mm/proc-v7-3level.S).
 * 2. The kernel goes on at its own addresses after setup_mm_for_reboot: soft_restart has caches to clean before it
 *    jumps to the physical address of cpu_reset. It has flushed the TLB, so that the tables are asked.
 * 3. What the identity map covers of lowmem is hidden in it: it is for code that uses none of that.
 */
export const lpaeIdmap: MachineStory = {
  kind: 'machine',
  id: 'lpae-idmap',
  title: "an identity map in the kernel's GiB has a page of pmds of its own, and the kernel is not in it",
  source:
    'Linux 3.3 and 3.16 arch/arm/mm/idmap.c (idmap_add_pmd, setup_mm_for_reboot), arch/arm/kernel/process.c ' +
    '(soft_restart)',
  about:
    'To turn the MMU off a CPU needs code at an address that is its physical one: the identity map, tables of their ' +
    "own with the first 2 MiB of RAM. Where RAM is at 0xd0000000 that is in the kernel's GiB, whose page of pmds " +
    "is init_mm's (L_PGD_SWAPPER tells) and must not be written. So the identity map gets a new page; and it was an " +
    'empty one, with 2 MiB of the GiB in it. One CPU prepares to reboot: it makes the map, and goes on in the ' +
    "kernel's text with it. Another uses lowmem all the while.",
  machine: 'cortex-a15-smp',
  set: { memory: { ram: '512MiB', base: PHYS_OFFSET }, checkers: ['checker-table-use-after-free'] },
  setBy: { empty: idmap('empty'), through: idmap('through'), copy: idmap('copy') },
  // Before the flush it may know lowmem where the identity map is.
  freedom: { speculativeWalks: [{ cpu: 0, va: LOWMEM.va }] },
  variants: {
    empty: { verdict: 'violated', what: 'the new page of pmds is empty: Linux 3.3', rule: NO_TEXT },
    through: {
      verdict: 'violated',
      what: "L_PGD_SWAPPER is not looked at: the sections are written into init_mm's page",
      rule: WRITTEN,
    },
    copy: { verdict: 'holds', what: "the new page begins as a copy of init_mm's 512 entries: Linux 3.16" },
  },
  survivors: [
    {
      named: /(page_table_lock:1|, PopulatePud): after the next/,
      why: 'nobody else makes tables for the identity map, so that a step of it may be outside the lock',
    },
    {
      named: /, StoreBlock: after the next/,
      why: 'the next step is mm_cpumask, and these tables are not in use yet',
    },
    {
      named: /, SetMmCpumask: /,
      why: 'mm_cpumask is for flushes of an mm, and the CPU flushes all that it has',
    },
    {
      named: /, InvalidateTlb: after the next/,
      why: 'the next step begins the walk for the text, and is not the one that looks for the identity map',
    },
  ],
  build(slots, _variant, _machine, models) {
    const steps = present(slots['page-table'].walkSteps, 'walk, step by step');
    const swapper = (view: View): number => slots['page-table'].pgd?.swapper(view) ?? 0;
    const wrong = {
      noText: new Variable('no text', [0]),
      astray: new Variable('astray', [0]),
      notIdentity: new Variable('not identity', [0]),
    };
    return {
      programs: programsOf(slots, models, wrong),
      components: Object.values(wrong).map(({ named }) => named),
      underTest: ['story/reboot'],
      play: {
        scene: [
          { process: IDMAP, name: 'idmap_pgd' },
          { process: PROCESS, name: 'a process' },
          { cpu: 0, program: 'story/scene', args: [] },
          ...[0, 1].map((cpu) => ({ cpu, program: 'story/run', args: [] })),
        ],
        tasks: [
          { name: 'reboot', cpu: 0, program: 'story/reboot', args: [] },
          { name: 'uses lowmem', cpu: 1, program: 'story/uses-lowmem', args: [] },
        ],
        never: [
          { rule: NO_TEXT, when: (view) => wrong.noText.at(view) !== 0 },
          { rule: WRITTEN, when: (view) => walked(view, steps, swapper(view), LOWMEM.va) !== LOWMEM.pa },
          { rule: ASTRAY, when: (view) => wrong.astray.at(view) !== 0 },
          { rule: NOT_IDENTITY, when: (view) => wrong.notIdentity.at(view) !== 0 },
        ],
      },
    } satisfies Cast;
  },
};

/** Where the tables at `ttbr` lead as they are now. */
function walked(view: View, steps: WalkSteps, ttbr: number, va: number): number | undefined {
  const memory = view(memoryKey);
  let meaning = steps.begin(ttbr, va);
  while (meaning.kind === 'table')
    meaning = steps.descend(meaning, va, wordAt(memory, meaning.pa), wordAt(memory, meaning.pa + 4));
  return meaning.kind === 'page' ? meaning.pfn * 4096 + (va % 2 ** meaning.pageShift) : undefined;
}

interface Wrong {
  readonly noText: Variable;
  readonly astray: Variable;
  readonly notIdentity: Variable;
}

function programsOf(slots: Slots, { tlb }: Models, wrong: Wrong): Programs {
  const { mm, asid, pgd } = slots;

  /** A load, which is to lead to `pa`. */
  function* load(context: ProgramContext, { va, pa }: { va: number; pa: number }, missed: Variable): Routine {
    const outcome = yield* tlb.access(context, va, false);
    if (outcome.kind !== 'done' || outcome.pa !== pa) yield* missed.store(1);
  }
  return {
    *scene(context) {
      yield* mm.create(context, PROCESS);
      yield* pgd.allocate(context, IDMAP);
    },
    *run(context) {
      yield* asid.switchMm(context, PROCESS);
    },
    /** init_static_idmap; then setup_mm_for_reboot, and soft_restart. */
    *reboot(context) {
      const map = pgd.identityMap?.(context, IDMAP, PHYS_OFFSET, PHYS_OFFSET + MIB_2);
      yield* present(map, 'identity map');
      yield* asid.switchMm(context, IDMAP);
      yield* order(slots.tlb.invalidate(context.cpu, 'all', 0, 0, 0));
      yield* load(context, TEXT, wrong.noText);
      yield* load(context, { va: TEXT.pa, pa: TEXT.pa }, wrong.notIdentity);
    },
    *'uses-lowmem'(context) {
      yield* load(context, LOWMEM, wrong.astray);
    },
  };
}
