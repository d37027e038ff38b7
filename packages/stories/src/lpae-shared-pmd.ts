import { exitProcess, merge, order } from '@tablewalk/contracts';
import type { Programs, Slots } from '@tablewalk/contracts';
import type { Cast, MachineStory, Models, Overrides } from './story.ts';
import { Variable } from './variable.ts';

/** A page of the stack in the GiB of modules, and one below it. */
const STACK = 0xbe00_0000;
const HEAP = 0x4000_0000;
const [OWNER, OTHER] = [1, 2];

const SEEN = 'a process has reached a page that another has mapped, and that it has not';
const LOST = 'a first level was freed with a page of tables in it';

const SHARED: Overrides = { 'slots.pgd': 'pgd-arm-lpae-shared-pmd' };

/**
 * Options A to D of spec/page-tables.md, 5.4.
 *
 * 1. With B the pgd entry of modules leads to init_mm's page of pmds in every mm. pmd_alloc finds a page there and
 *    takes it, so that the page of ptes of one process is in the tables of all. Page tables for user space are looked
 *    up by mm and address alone; no check is missing that one could add.
 * 2. The ASID does not help: the other process walks its own tables, and holds what it finds under its own number.
 * 3. At its exit nobody gives the page of ptes back: what is in init_mm's tables is not the mm's to free.
 */
export const lpaeSharedPmd: MachineStory = {
  kind: 'machine',
  id: 'lpae-shared-pmd',
  title:
    "where modules and user space share a pgd entry, a copy of init_mm's is a page of pmds for everybody",
  source:
    'R. King and C. Marinas, "[PATCH v4 09/19] ARM: LPAE: Page table maintenance for the 3-level format", ' +
    'linux-arm-kernel, 3 February 2011',
  about:
    "The review asks why pgd_alloc makes a page of pmds for the GiB of modules: should it not be init_mm's " +
    'entry, copied like those above PAGE_OFFSET? It could if no process had a mapping in that GiB, but stacks and ' +
    'libraries lie there. A process maps a page of its stack, uses it and exits; another touches the same address, ' +
    'where it has nothing.',
  machine: 'cortex-a15-smp',
  set: { checkers: ['checker-table-page-leak', 'checker-table-use-after-free'] },
  setBy: {
    shared: SHARED,
    'shared-leak': { ...SHARED, cpus: 1 },
    merged: { 'slots.pgd': 'pgd-arm-lpae-merged' },
    'four-pmd': { 'slots.pgd': 'pgd-arm-lpae-four-pmd' },
    'shared-below': SHARED,
    'moved-kernel': {
      ...SHARED,
      'slots.page-table': { use: 'page-table-arm-lpae', pageOffset: 0xc100_0000 },
    },
  },
  variants: {
    shared: { verdict: 'violated', what: "B: init_mm's page of pmds in every mm", rule: SEEN },
    'shared-leak': {
      verdict: 'violated',
      what: 'B, and nobody else is there: the page of ptes is lost',
      rule: LOST,
    },
    merged: { verdict: 'holds', what: 'A: a page of pmds of its own, as merged' },
    'four-pmd': { verdict: 'holds', what: 'D: a pgd and four pages of pmds, all of its own' },
    'shared-below': { verdict: 'holds', what: 'B, and the mapping is below the GiB of modules' },
    'moved-kernel': { verdict: 'holds', what: 'C: PAGE_OFFSET 16 MiB up, so that modules begin at a GiB' },
  },
  survivors: [
    {
      named: /(page_table_lock:1|, PopulatePmd): after the next/,
      why: 'nobody else makes tables for the owner, so that a step of it may be outside the lock',
    },
    {
      named: /, (SetPte|ClearPte|InvalidateTlb|CompleteBarrier|SwitchContext): /,
      why:
        'nobody but the owner walks its tables, and not after it has used its page: how a page and its tables go is ' +
        'told by unmap-free-race and lpae-dying-pgd',
    },
    {
      named: /step 24, FreePage: dropped|, FreePage: after the next/,
      why: 'the page itself is asked for by no rule here, and nobody waits for a page of tables',
    },
    {
      named: /, ExitProcess: dropped/,
      why: 'who has not exited is not asked for what he has not given back',
    },
  ],
  build(slots, variant, { cpus }, models) {
    const seen = new Variable('seen', [0]);
    const va = variant === 'shared-below' ? HEAP : STACK;
    return {
      programs: programsOf(slots, models, seen, va),
      components: [seen.named],
      underTest: ['story/owner'],
      play: {
        scene: [
          { process: OWNER, name: 'owner' },
          { process: OTHER, name: 'other' },
          { cpu: 0, program: 'story/scene', args: [OWNER] },
          ...(cpus > 1 ? [{ cpu: 1, program: 'story/scene', args: [OTHER] }] : []),
        ],
        tasks: [
          { name: 'owner', cpu: 0, program: 'story/owner', args: [] },
          ...(cpus > 1 ? [{ name: 'other', cpu: 1, program: 'story/other', args: [] }] : []),
        ],
        never: [{ rule: SEEN, when: (view) => seen.at(view) !== 0 }],
      },
    } satisfies Cast;
  },
};

function programsOf(slots: Slots, { tlb }: Models, seen: Variable, va: number): Programs {
  const { mm, asid, frames, pgd, shootdown, 'page-table': table } = slots;
  return {
    *scene(context) {
      const [own] = context.args as [number];
      yield* mm.create(context, own);
      yield* asid.switchMm(context, own);
    },
    /** A page at the first touch, and the exit: exit_mmap, the switch away, pgd_free. */
    *owner(context) {
      yield* table.populate(context, OWNER, va);
      const pfn = (yield* frames.allocate('user', 0, { mm: OWNER, va })) ?? 0;
      yield* table.setPte(context, OWNER, va, { pfn, young: true, dirty: true, write: true });
      yield* tlb.access(context, va, true);
      yield* table.clearPte(context, OWNER, va);
      const tables = yield* pgd.freePgtables(context, OWNER);
      yield* shootdown.flushTlbMm(context, OWNER);
      for (const page of [pfn, ...tables]) yield* frames.free(page);
      yield* asid.switchMm(context, 0);
      yield* pgd.free(context, OWNER);
      yield* order(exitProcess(OWNER, context.cpu));
    },
    /** A stray pointer: it is to fault. */
    *other(context) {
      const outcome = yield* tlb.access(context, va, false);
      yield* merge('touched', [Number(outcome.kind === 'done')]);
      if (outcome.kind === 'done') yield* seen.store(1);
    },
  };
}
