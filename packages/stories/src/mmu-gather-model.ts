import type { View } from '@tablewalk/contracts';
import { movedOf, movedSlices, neighbours } from './alike.ts';
import type { ModelStory } from './story.ts';
import { atomically, movesComponent, Variable, variables } from './variable.ts';
import type { Move } from './variable.ts';

const RULE = 'a CPU reaches a page through its TLB when the page has another owner';

/**
 * Unmapping many pages: clear ptes and gather their pages, flush, and only then free. ARM freed each page as
 * soon as its pte was clear and flushed at the end (fixed by Russell King, commit 06824ba824b3, 2011;
 * mm/mmu_gather.c today). With PTFREE the things are page-table pages: `clr` stands for the pmd over each,
 * the TLB for the walk cache, and a user CPU is a speculative walker.
 *
 * 1. A step decides its branches itself; a local that nobody will read again is 0.
 * 2. `bad` is never taken back: whoever counts past a violation finds it in every later state.
 * 3. Whoever takes freed pages is no worker: it may wait for a page at the end.
 */
export const mmuGatherModel: ModelStory = {
  kind: 'model',
  id: 'mmu-gather-protocol',
  title: 'mmu_gather: pages are freed before the TLBs forget them',
  source: 'Linux commit 06824ba824b3 (2.6.39), "ARM: tlb: delay page freeing for SMP and ARMv7 CPUs"',
  about:
    'CPU 0 unmaps a range while other CPUs store to it. A page that is freed in the middle goes to ' +
    'somebody else at once, and a CPU whose TLB still has the old translation stores into it.',
  knobs: { P: 2, C: 3, B: 2, K: 2, A: 2, PTFREE: 0 },
  variants: {
    repaired: { verdict: 'holds', what: 'gathers up to B pages, flushes every TLB, and frees them' },
    broken: { verdict: 'violated', what: 'frees each page at once, and flushes at the end', rule: RULE },
  },
  survivors: [
    {
      named: /^CPU 0, clears (pte|pmd) \d+: without its fact 2 of 2$/,
      why: 'it clears the same entry for ever, and frees nothing: a step can always be taken (livelock)',
    },
    {
      named: /^CPU 0, flushes every TLB: without its fact 3 of 3$/,
      why: 'it flushes for ever, and frees nothing: a livelock',
    },
    {
      named: /^CPU 0, frees page \d+: without its fact 1 of 2$/,
      why: 'the page is never free: a leak, and no rule of this story watches for one',
    },
    {
      named: /^CPU 0, frees page \d+: without its fact 2 of 2$/,
      why: 'it frees the same page for ever, also under its next owner: a bug, but no TLB reaches the page any more',
    },
  ],
  build(variant, { P: pages = 2, C: cpus = 3, B: batch = 2, K: stores = 2, A: takes = 2, PTFREE = 0 }) {
    const at = stateOf(pages, cpus, stores, takes, PTFREE === 1);
    const { owner, clr, tlb, garb, users, unmapper, other, bad } = at;
    const moves = [
      ...(variant === 'repaired' ? gather(at, batch) : freeAtOnce(at)),
      ...users.flatMap((left, user) => owner.map((_, page) => store(at, { left, user, page }))),
      ...owner.map((_, page) => take(at, page)),
    ];
    const known = [...owner, ...clr, ...tlb, ...garb, ...users, unmapper, other, bad];
    return {
      cpus,
      components: [...known.map(({ named }) => named), movesComponent('unmapping', moves)],
      programs: {},
      play: {
        scene: [],
        tasks: [],
        mayEnd: (view) => unmapper.at(view) === DONE && users.every((left) => left.at(view) === 0),
        never: [{ rule: RULE, when: (view) => bad.at(view) === 1 }],
      },
      symmetries: neighbours(users.length).map((to) => ({
        name: `user CPUs ${movedOf(to)}`,
        slices: { ...movedSlices(users, to), ...movedSlices(tlb, to), ...movedSlices(garb, to) },
      })),
      observed: [...owner, ...tlb].map(({ name }) => name),
      /** Users and the other owner are what it has to stand. */
      underTest: ['CPU 0'],
    };
  },
};

/** Owners of a page. */
const MM = 0;
const FREE = 1;
const OTHER = 2;

/** Program points of the unmapper: [point, page, pages gathered]. */
const CLEAR = 0;
const FLUSH = 1;
const RELEASE = 2;
const DONE = 3;

type State = ReturnType<typeof stateOf>;

/** By user, which is CPU 1 and up: CPU 0 only unmaps, and its TLB stays empty. */
function stateOf(pages: number, cpus: number, stores: number, takes: number, tables: boolean) {
  const none = Array.from({ length: pages }, () => 0);
  const byUser = (name: string, initial: readonly number[]) => variables(name, cpus, () => initial).slice(1);
  return {
    tables,
    owner: variables('owner', pages, () => [MM]),
    clr: variables('clr', pages),
    tlb: byUser('tlb', none),
    garb: tables ? byUser('garb', none) : [],
    users: byUser('left', [stores]),
    unmapper: new Variable('unmapper', [CLEAR, 0, 0]),
    other: new Variable('takes', [takes]),
    bad: new Variable('bad', [0]),
  };
}

const stands = (view: View, { unmapper }: State, point: number, page: number): boolean =>
  unmapper.at(view) === point && unmapper.at(view, 1) === page;

const clear = (at: State, page: number, goOn: (gathered: number) => readonly number[]): Move => ({
  actor: 'CPU 0',
  label: `clears ${at.tables ? 'pmd' : 'pte'} ${page}`,
  when: (view) => stands(view, at, CLEAR, page),
  then: atomically((now) => {
    now.put(at.clr[page] as Variable, 1);
    now.putAll(at.unmapper, goOn(now.at(at.unmapper, 2) + 1));
  }),
});

const flush = (at: State, goOn: (page: number, gathered: number) => readonly number[]): Move => ({
  actor: 'CPU 0',
  label: 'flushes every TLB',
  when: (view) => at.unmapper.at(view) === FLUSH,
  then: atomically((now) => {
    for (const tlb of at.tlb) now.fill(tlb, 0);
    now.putAll(at.unmapper, goOn(now.at(at.unmapper, 1), now.at(at.unmapper, 2)));
  }),
});

const release = (at: State, page: number, goOn: (gathered: number) => readonly number[]): Move => ({
  actor: 'CPU 0',
  label: `frees page ${page}`,
  when: (view) => stands(view, at, RELEASE, page),
  then: atomically((now) => {
    now.put(at.owner[page] as Variable, FREE);
    now.putAll(at.unmapper, goOn(now.at(at.unmapper, 2)));
  }),
});

function freeAtOnce(at: State): readonly Move[] {
  const pages = at.owner.length;
  const ofPage = at.owner.flatMap((_, page): readonly Move[] => [
    clear(at, page, () => [RELEASE, page, 0]),
    release(at, page, () => (page + 1 < pages ? [CLEAR, page + 1, 0] : [FLUSH, 0, 0])),
  ]);
  return [...ofPage, flush(at, () => [DONE, 0, 0])];
}

/**
 * tlb_remove_page until the batch is full or the range at its end; tlb_flush_mmu: flush, then free the oldest
 * first.
 */
function gather(at: State, batch: number): readonly Move[] {
  const pages = at.owner.length;
  const full = (page: number, gathered: number): boolean => gathered === batch || page + 1 === pages;
  const ofPage = at.owner.flatMap((_, page): readonly Move[] => [
    clear(at, page, (gathered) => [full(page, gathered) ? FLUSH : CLEAR, page + 1, gathered]),
    release(at, page, (left) => {
      if (left > 1) return [RELEASE, page + 1, left - 1];
      return page + 1 < pages ? [CLEAR, page + 1, 0] : [DONE, 0, 0];
    }),
  ]);
  return [...ofPage, flush(at, (page, gathered) => [RELEASE, page - gathered, gathered])];
}

interface Access {
  readonly left: Variable;
  readonly user: number;
  readonly page: number;
}

/**
 * A store, or half a walk: one that fills the walk cache, or one that reads the page-table page behind it.
 * What is neither cached nor mapped faults: the thread is killed.
 */
function store(at: State, { left, user, page }: Access): Move {
  const tlb = at.tlb[user] as Variable;
  const clr = at.clr[page] as Variable;
  const owner = at.owner[page] as Variable;
  return {
    actor: `CPU ${user + 1}`,
    label: at.tables ? `walks to page-table page ${page}` : `stores to page ${page}`,
    when: (view) => left.at(view) > 0,
    then: atomically((now) => {
      const cached = now.at(tlb, page) === 1;
      if (!cached && now.at(clr) === 1) {
        now.put(left, 0);
        return;
      }
      now.put(left, now.at(left) - 1);
      now.put(tlb, 1, page);
      if ((at.tables && !cached) || now.at(owner) !== OTHER) return;
      now.put(at.bad, 1);
      if (at.tables) now.put(at.garb[user] as Variable, 1, page);
    }),
  };
}

/** Somebody allocates the first free page there is. */
const take = ({ owner, other }: State, page: number): Move => ({
  actor: 'other owner',
  label: `allocates page ${page}`,
  when: (view) => other.at(view) > 0 && owner.findIndex((candidate) => candidate.at(view) === FREE) === page,
  then: atomically((now) => {
    now.put(owner[page] as Variable, OTHER);
    now.put(other, now.at(other) - 1);
  }),
});
