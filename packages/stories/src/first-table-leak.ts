import { present } from '@tablewalk/base';
import { cpusKey, processesKey, readAll } from '@tablewalk/contracts';
import type { Programs, Slots, View } from '@tablewalk/contracts';
import type { Cast, MachineStory, Overrides } from './story.ts';
import { Variable } from './variable.ts';

/** FIRST_USER_ADDRESS: the lowest page that a process may have. */
const VA = 0x1000;
const [LEAVES, COMES] = [1, 2];

const LOST = 'both processes have exited, and fewer single pages are free than before there was one';
const IN_USE = 'the first level of a process is gone, and a CPU has it in TTBR0';

const IF_LOW_VECTORS: Overrides = {
  'slots.pgd': { use: 'pgd-arm-classic', freeEntryZero: 'if-low-vectors' },
};
const LOW_VECTORS: Overrides = { 'slots.page-table': { use: 'page-table-arm-short', vectors: 'low' } };

/**
 * PT-2 of spec/page-tables.md, 3.2 and 7; the classic sibling of HB-22 of spec/historical-bugs-mapping.md.
 *
 * 1. free_pgtables frees what lies above FIRST_USER_ADDRESS. The table that covers address 0 is below it in part,
 *    and stays, with the entries of the first two megabytes of the process, for pgd_free.
 * 2. A second process comes and goes meanwhile, on another CPU: what it gets may be what the first has given back.
 */
export const firstTableLeak: MachineStory = {
  kind: 'machine',
  id: 'first-table-leak',
  title: 'pgd_free leaves the table of address 0 behind, as it thinks that it was the one of the vectors',
  source:
    'R. King in the review of the LPAE patches, linux-arm-kernel, 2011: the freeing of entry 0 must not depend on ' +
    'vectors_high(); pgd_free, Linux 2.6.39 arch/arm/mm/pgd.c',
  about:
    'Where vectors are at address 0, pgd_alloc makes a table for them, and pgd_free gives it back. Where they are ' +
    'at 0xffff0000 there is no such table, and one may think that nothing is to be freed. But FIRST_USER_ADDRESS ' +
    'is one page: a process with a mapping in its first two megabytes has a table there, which free_pgtables ' +
    'spares. A process with such a page exits, while on another CPU one comes and goes; every page of tables has to ' +
    'come back.',
  machine: 'cortex-a9-smp',
  set: {
    checkers: ['checker-table-page-leak', 'checker-table-use-after-free', 'checker-page-use-after-free'],
  },
  setBy: {
    'if-low-vectors': IF_LOW_VECTORS,
    'low-vectors': { ...IF_LOW_VECTORS, ...LOW_VECTORS },
    'always-low-vectors': LOW_VECTORS,
  },
  variants: {
    'if-low-vectors': {
      verdict: 'violated',
      what: 'vectors are high, and the table of address 0 is taken for none',
      rule: 'a first level was freed with a page of tables in it',
    },
    always: { verdict: 'holds', what: 'vectors are high, and what is at address 0 is freed' },
    'low-vectors': { verdict: 'holds', what: 'as if-low-vectors, and vectors are low: the table is freed' },
    'always-low-vectors': { verdict: 'holds', what: 'vectors are low, and what is at address 0 is freed' },
  },
  survivors: [
    {
      named: /, Note(Start|Flush|Finish): |, (MaintainCache|InvalidateTlb): |exit step (8|9), /,
      why:
        'the page itself: nobody uses it any more, by a TLB, a cache or a walk, so that it may go however it likes; ' +
        'how pages go is told by unmap-free-race',
    },
    {
      named: /(AcquireLock|ReleaseLock) page_table_lock:1: after the next/,
      why: 'nobody else takes the page_table_lock of this process, so that the step next to it may be outside',
    },
    {
      named: /SwitchContext: after the next/,
      why: 'the next step takes page_table_lock; the first level goes after both',
    },
    {
      named: /exit step (15|22), FreePage: after the next/,
      why: 'the next step is a note of the gather, or looks for the first level: the page comes back after it',
    },
    {
      named: /, FreePgd: |exit step 25, FreePage: /,
      why: 'single pages are counted, and a first level is a block of four of them: a leak of it is not seen here',
    },
    {
      named: /, ExitProcess: dropped/,
      why: 'who has not exited is not asked for what he has not given back',
    },
  ],
  build(slots) {
    const before = new Variable('free pages before', [0]);
    const exited = (view: View, mm: number): boolean => view(processesKey)[mm]?.phase === 'exited';
    return {
      programs: programsOf(slots, before),
      components: [before.named],
      underTest: ['mm/exit'],
      play: {
        scene: [
          { process: LEAVES, name: 'leaves' },
          { process: COMES, name: 'comes' },
          { cpu: 0, program: 'story/scene', args: [] },
        ],
        tasks: [
          { name: 'exit', cpu: 0, program: 'mm/exit', args: [LEAVES] },
          { name: 'fork, exit', cpu: 1, program: 'story/comes-and-goes', args: [] },
        ],
        never: [
          {
            rule: IN_USE,
            when: (view) =>
              view(cpusKey).some(({ mm, ttbr }) => mm !== 0 && slots['page-table'].ttbr(view, mm) !== ttbr),
          },
          {
            rule: LOST,
            when: (view) =>
              [LEAVES, COMES].every((each) => exited(view, each)) &&
              slots.frames.freePages(view) !== before.at(view),
          },
        ],
      },
    } satisfies Cast;
  },
};

function programsOf({ mm, frames, asid, 'page-table': table }: Slots, before: Variable): Programs {
  return {
    /** An address space with its lowest page mapped, and running. */
    *scene(context) {
      yield* present(table.pgd, 'first-level tables').boot(context);
      const [free] = yield* readAll((view) => [frames.freePages(view)], 'free pages');
      yield* before.store(free ?? 0);
      yield* mm.create(context, LEAVES);
      yield* table.populate(context, LEAVES, VA);
      const pfn = (yield* frames.allocate('user', 0, { mm: LEAVES, va: VA })) ?? 0;
      yield* table.setPte(context, LEAVES, VA, { pfn, young: true, dirty: true, write: true });
      yield* asid.switchMm(context, LEAVES);
    },
    *'comes-and-goes'(context) {
      yield* mm.create(context, COMES);
      yield* table.populate(context, COMES, VA);
      yield* asid.switchMm(context, COMES);
      const exit = present(mm.programs['exit'], 'exit of slot mm');
      yield* exit({ ...context, args: [COMES] });
    },
  };
}
