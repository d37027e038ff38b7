import { awaitUntil, cpusKey, memoryKey, readAll, wordAt } from '@tablewalk/contracts';
import type { PgdTables, ProgramContext, Programs, Reply, Routine, Slots, View } from '@tablewalk/contracts';
import type { Cast, MachineStory, Models, Overrides } from './story.ts';
import { Variable } from './variable.ts';

const MIB = 2 ** 20;
/** Two megabytes of kernel space that nobody else uses: a pair of first-level words. */
const PAIR = 0xf400_0000;
const DEVICE = 0x4800_0000;
const [INIT_MM, PROCESS] = [0, 1];

const LIVELOCK = 'a fault was handled, and the same access faults again with the same words in the tables';
const OOPS = 'a bad area at an address that init_mm maps: an oops';
const ASTRAY = 'an access got through where nothing is mapped, or to another place than what is mapped';

/** Which half of the pair init_mm has, and where its driver, or a stray pointer, goes. */
interface Scene {
  readonly mapped: number;
  readonly accessed: readonly number[];
}
const [FIRST, SECOND] = [PAIR, PAIR + MIB];
const SCENES: Readonly<Record<string, Scene>> = {
  livelock: { mapped: FIRST, accessed: [SECOND] },
  'false-oops': { mapped: SECOND, accessed: [SECOND] },
  'second-mapped': { mapped: SECOND, accessed: [SECOND, FIRST] },
  'first-mapped': { mapped: FIRST, accessed: [FIRST, SECOND] },
};
const CHECKS_FIRST: Overrides = { 'slots.pgd': { use: 'pgd-arm-classic', checkHalf: 'first' } };

/**
 * HB-17 of spec/historical-bugs-mapping.md, PT-1 of spec/page-tables.md, 7.
 *
 * 1. Linux fills both words of a pair, but in create_mapping, which writes single sections. The mapping is made here
 *    while processes run; at boot it would be in every first level, and `false-oops` could not be. `livelock` can:
 *    the pair may be copied and lack the half nevertheless.
 * 2. The handler copies both halves, one after the other, and takes no lock. Two threads of one process fault at the
 *    same address at once: whoever comes second finds the words there, copies them again, and tries again.
 * 3. A livelock is not looked for by the explorer. What is looked for is a fault that comes back to the same words.
 */
export const halfPair: MachineStory = {
  kind: 'machine',
  id: 'half-pair',
  title: 'a translation fault looks at the wrong half of a pair of first-level words',
  source: 'Linux commit 33a9c41bf5d8, in 2.6.36; the comment in do_translation_fault, arch/arm/mm/fault.c',
  about:
    'The two first-level words of two megabytes are one entry for Linux. do_translation_fault asked the first word ' +
    'whether init_mm has the address, and then copied both. Where create_mapping has filled the first alone, an ' +
    'access to the second megabyte is "handled" and faults again, for ever; where it has filled the second alone, ' +
    'a valid access is a bad area. One task maps a section in one half and tells another CPU; both use the address.',
  machine: 'cortex-a9-smp',
  setBy: { livelock: CHECKS_FIRST, 'false-oops': CHECKS_FIRST },
  // Its walker may walk for either half when nobody asks, and its TLB may lose what it has.
  freedom: {
    speculativeWalks: [FIRST, SECOND].map((va) => ({ cpu: 1, va })),
    tlbEvictions: [FIRST, SECOND].map((va) => ({ cpu: 1, va })),
  },
  variants: {
    livelock: {
      verdict: 'violated',
      what: 'the first word is looked at, and is there; the access is to the other half, which is not',
      rule: LIVELOCK,
    },
    'false-oops': {
      verdict: 'violated',
      what: 'the first word is looked at, and is not there; the access is to the other half, which is',
      rule: OOPS,
    },
    'second-mapped': {
      verdict: 'holds',
      what: 'the needed word is looked at, the second half is there: a retry, and a bad area in the first',
    },
    'first-mapped': {
      verdict: 'holds',
      what: 'the needed word is looked at, the first half is there: a retry, and a bad area in the second',
    },
  },
  survivors: [
    {
      named: /(create-mapping step 7|threads step 6), CopyKernelWords: /,
      why: 'the first word of the pair, which init_mm has not: what is copied is none over none, whenever',
    },
    {
      named: /(create-mapping step 8|threads step 7), CopyKernelWords: after the next/,
      why: 'the next step is the look of the story at the words, and what it found is asked only at another fault',
    },
    {
      named: /(create-mapping step 2, Store|threads step 1, for the mapping): after the next/,
      why: 'the next step begins the walk for the address, and reads no word yet',
    },
  ],
  build(slots, variant, _machine, models) {
    const scene = SCENES[variant] as Scene;
    const seen = new Seen();
    return {
      programs: programsOf(slots, models, seen, scene),
      components: seen.all.map(({ named }) => named),
      underTest: ['story/create-mapping', 'story/threads'],
      play: {
        scene: [
          { process: PROCESS, name: 'two threads' },
          { cpu: 0, program: 'story/scene', args: [] },
          ...[0, 1].map((cpu) => ({ cpu, program: 'story/run', args: [] })),
        ],
        tasks: [
          { name: 'create_mapping', cpu: 0, program: 'story/create-mapping', args: [] },
          { name: 'thread', cpu: 1, program: 'story/threads', args: [] },
        ],
        never: [
          { rule: LIVELOCK, when: (view) => seen.livelock.at(view) !== 0 },
          { rule: OOPS, when: (view) => seen.oops.at(view) !== 0 },
          { rule: ASTRAY, when: (view) => seen.astray.at(view) !== 0 },
        ],
      },
    } satisfies Cast;
  },
};

/** What the tasks tell each other, and what became of their accesses. */
class Seen {
  readonly mapped = new Variable('mapped', [0]);
  readonly livelock = new Variable('livelock', [0]);
  readonly oops = new Variable('oops', [0]);
  readonly astray = new Variable('astray', [0]);
  readonly all = [this.mapped, this.livelock, this.oops, this.astray];
}

function programsOf(
  { mm, asid, pgd, 'page-table': { pgd: tables } }: Slots,
  { tlb }: Models,
  seen: Seen,
  { mapped, accessed }: Scene,
): Programs {
  /** A load, and do_translation_fault behind it. */
  function* load(context: ProgramContext, va: number): Routine {
    const there = va === mapped;
    let handled: Reply | undefined;
    for (;;) {
      const outcome = yield* tlb.access(context, va, false);
      if (outcome.kind === 'done') {
        if (!there || outcome.pa !== DEVICE) yield* seen.astray.store(1);
        return;
      }
      const words = yield* readAll(wordsOf(tables, context.cpu, va), 'the words of the pair');
      if (handled !== undefined && handled.every((word, i) => word === words[i]))
        return yield* seen.livelock.store(1);
      if (outcome.level !== 1 || !(yield* pgd.translationFault(context, va))) {
        if (there) yield* seen.oops.store(1);
        return;
      }
      handled = yield* readAll(wordsOf(tables, context.cpu, va), 'the words of the pair');
    }
  }
  function* loads(context: ProgramContext): Routine {
    for (const va of accessed) yield* load(context, va);
  }

  return {
    /** The first level of the process is a copy from before there was a mapping. */
    *scene(context) {
      yield* mm.create(context, PROCESS);
    },
    *run(context) {
      yield* asid.switchMm(context, PROCESS);
    },
    /** alloc_init_section: one word of the pair. */
    *'create-mapping'(context) {
      if (tables !== undefined) yield* tables.setSection(context, INIT_MM, mapped, DEVICE);
      yield* seen.mapped.store(1);
      yield* loads(context);
    },
    *threads(context) {
      yield* awaitUntil('for the mapping', (view) => seen.mapped.at(view) !== 0);
      yield* loads(context);
    },
  };
}

/** Both words of the pair that `va` is in, in the tables that the CPU walks and in init_mm's. */
const wordsOf =
  (tables: PgdTables | undefined, cpu: number, va: number) =>
  (view: View): Reply => {
    const firsts = [view(cpusKey)[cpu]?.ttbr ?? 0, tables?.swapper(view) ?? 0];
    const pair = Math.floor(va / (2 * MIB)) * 8;
    return firsts.flatMap((first) => [0, 4].map((half) => wordAt(view(memoryKey), first + pair + half)));
  };
