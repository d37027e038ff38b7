import { present } from '@tablewalk/base';
import { exitProcess, order, processesKey, read } from '@tablewalk/contracts';
import type { ProgramContext, Programs, Routine, Slots, View } from '@tablewalk/contracts';
import type { Cast, MachineStory } from './story.ts';
import { Variable } from './variable.ts';

/** FIRST_USER_ADDRESS, below which nobody has a page. */
const VA = 0x1000;
const PROCESSES = [1, 2];

const LOST = 'a first level was freed with a page of tables in it';
const FEWER = 'both processes have exited, and fewer pages are free than before there was one';

/**
 * HB-22 of spec/historical-bugs-mapping.md; spec/page-tables.md, 3.2, 5.5; the sibling of first-table-leak.
 *
 * 1. free_pgtables spares what covers address 0: with three levels the page of ptes of the first 2 MiB, and the page
 *    of pmds of the first GiB. The patch freed entry 0 only where the vectors are low, and with LPAE they never are.
 * 2. The loop for the pages of pmds, which comes after, finds that of entry 0 as well: it goes, and with it the only
 *    word that led to the page of ptes. So it is one page that is lost for every process, and not two.
 * 3. Two processes exit at once. Both pgds are cut from one slab, which goes with the last.
 */
export const lpaeFirstPmdLeak: MachineStory = {
  kind: 'machine',
  id: 'lpae-first-pmd-leak',
  title:
    'pgd_free of the LPAE patches leaves the page of ptes behind that a process has at its lowest address',
  source:
    'R. King to C. Marinas, "[PATCH v4 09/19] ARM: LPAE: Page table maintenance for the 3-level format", ' +
    'linux-arm-kernel, 3 February 2011; pgd_free, Linux 3.3 arch/arm/mm/pgd.c',
  about:
    'Under LPAE the vectors are always at 0xffff0000, and so the patch took it that there is nothing at entry 0 for ' +
    'pgd_free to free. But FIRST_USER_ADDRESS is one page, and free_pgtables does not touch a table that lies in ' +
    'part below it. The review found it, and what was merged frees entry 0 always. A process with a page at ' +
    'FIRST_USER_ADDRESS exits while another does; every page of tables has to come back.',
  machine: 'cortex-a15-smp',
  set: {
    checkers: ['checker-table-page-leak', 'checker-table-use-after-free'],
  },
  setBy: {
    v4: { 'slots.pgd': 'pgd-arm-lpae-v4' },
    merged: { 'slots.pgd': 'pgd-arm-lpae-merged' },
    'no-ceiling': { 'slots.pgd': { use: 'pgd-arm-lpae-merged', ceiling: false } },
  },
  variants: {
    v4: { verdict: 'violated', what: 'as proposed: entry 0 is freed if the vectors are low', rule: LOST },
    merged: { verdict: 'holds', what: 'entry 0 is always freed: as merged, with the ceiling of 3.10' },
    'no-ceiling': { verdict: 'holds', what: 'entry 0 is always freed: as merged in 3.3' },
  },
  survivors: [
    {
      named: /, FreePage: after the next/,
      why: 'the next step clears an entry or gives back the first level, and no walk is in these tables',
    },
    { named: /, ExitProcess: dropped/, why: 'who has not exited is not asked for what is missing' },
  ],
  build(slots) {
    const before = new Variable('free pages before', [0]);
    const fewer = (view: View): boolean =>
      PROCESSES.every((each) => view(processesKey)[each]?.phase === 'exited') &&
      slots.frames.freePages(view) !== before.at(view);
    return {
      programs: programsOf(slots, before),
      components: [before.named],
      underTest: ['story/exit'],
      play: {
        scene: [
          ...PROCESSES.map((mm) => ({ process: mm, name: `process ${mm}` })),
          { cpu: 0, program: 'story/scene', args: [] },
        ],
        tasks: [
          ...PROCESSES.map((own, cpu) => ({
            name: `exit of ${own}`,
            cpu,
            program: 'story/exit',
            args: [own],
          })),
        ],
        never: [{ rule: FEWER, when: fewer }],
      },
    } satisfies Cast;
  },
};

function programsOf({ mm, frames, asid, pgd, 'page-table': table }: Slots, before: Variable): Programs {
  /** exit_mmap, whose pages went before, and pgd_free; another task runs already. */
  function* exit(context: ProgramContext): Routine {
    const [own] = context.args as [number];
    for (const pfn of yield* pgd.freePgtables(context, own)) yield* frames.free(pfn);
    yield* pgd.free(context, own);
    yield* order(exitProcess(own, context.cpu));
  }
  return {
    /** Processes with tables for their lowest page, which have run. */
    *scene(context) {
      yield* present(table.pgd, 'first-level tables').boot(context);
      yield* before.store(yield* read((view) => frames.freePages(view), 'free pages'));
      for (const each of PROCESSES) {
        yield* mm.create(context, each);
        yield* table.populate(context, each, VA);
        yield* asid.switchMm(context, each);
      }
      yield* asid.switchMm(context, 0);
    },
    exit,
  };
}
