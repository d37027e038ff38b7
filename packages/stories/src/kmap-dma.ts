import { assert, present } from '@tablewalk/base';
import { movedOf, movedSlices, neighbours } from './alike.ts';
import type { Permutation } from './alike.ts';
import type { ModelStory, Symmetry } from './story.ts';
import { atomically, movesComponent, Variable, variables } from './variable.ts';
import type { Move, Writes } from './variable.ts';

const RULE = 'a dirty line of another page is thrown away';

/**
 * Cache maintenance of a highmem DMA buffer on a VIVT cache, through the address at which kmap() left it.
 * Where page_address() alone is asked, the slot may be given to another page in the middle of the loop, whose
 * dirty lines are then invalidated; kmap_high_get() holds the slot (Nicolas Pitre, commit 3297e760776a,
 * 2.6.30; mm/highmem.c, arch/arm/mm/dma-mapping.c). One CPU, preemption anywhere.
 *
 * 1. A step decides its branches itself; a local that nobody will read again is 0.
 * 2. `lost` has a bit for each line of a page that was thrown away, as `dirty` for the lines of a slot, and
 *    is never taken back: whoever counts past a violation finds it in every later state.
 * 3. `pte` holds 1 + page and `pa` (page_address) 1 + slot; 0 is none.
 * 4. Waiting for a slot is a guard: the wait queue is another story, pkmap-protocol.
 */
export const kmapDma: ModelStory = {
  kind: 'model',
  id: 'kmap-dma',
  title: 'kmap and DMA: the slot is recycled under a cache maintenance loop',
  source: '"[RFC] atomic highmem kmap page pinning", 2009; Linux commit 3297e760776a (2.6.30)',
  about:
    'A driver invalidates the lines of a buffer that somebody kmapped and kunmapped. Writers kmap pages ' +
    'of their own, write them and kunmap them: the search for a slot wraps, and recycles that of the buffer.',
  knobs: { S: 2, L: 2, W: 2, R: 1 },
  variants: {
    repaired: { verdict: 'holds', what: 'kmap_high_get: the loop holds the mapping' },
    broken: { verdict: 'violated', what: 'page_address: the loop uses whatever is there', rule: RULE },
  },
  survivors: [
    {
      named: /^DMA, invalidates the next line of slot \d+: without its fact 1 of 1$/,
      why: 'it invalidates the same line for ever: a livelock with the slot pinned; the others need one slot',
    },
    {
      named: /^(DMA, kunmap_high|writer \d+, kunmap): slot \d+: without its fact 1 of 2$/,
      why: 'the slot keeps a user that has gone: a leak, and with one slot left the others take turns',
    },
    {
      named: /^writer \d+, kmap_high: without its fact [12] of 11$/,
      why:
        'where the search wraps, lines are not written back: they stay dirty in a slot that DMA does not reach, for ' +
        'page 0 is never mapped again; where not, the cursor or the pte: no search comes after that misses them',
    },
    {
      named: /^writer \d+, kmap_high: without its fact 11 of 11$/,
      why: 'it maps its page once more and leaks the first slot; no other writer is left that needs one',
    },
    {
      named: /^writer \d+, writes the next line of slot \d+: without its fact 1 of 2$/,
      why: 'nothing is written: a clean line cannot be lost',
    },
    {
      named: /^writer \d+, writes the next line of slot \d+: without its fact 2 of 2$/,
      why: 'it writes the same line for ever: a livelock, with its slot in use all the time',
    },
  ],
  build(variant, { S: slots = 2, L: lines = 2, W: writers = 2, R: rounds = 1 }) {
    const at = stateOf(slots, lines, writers, rounds);
    const moves = [
      ...dmaMoves(at, variant === 'repaired'),
      ...at.writers.flatMap((own) => writerMoves(at, own)),
    ];
    const { cnt, pte, pa, dirty, lost, last, dma } = at;
    const known = [...cnt, ...pte, ...pa, ...dirty, ...lost, last, dma, ...at.writers.map(({ pc }) => pc)];
    return {
      cpus: 1,
      components: [...known.map(({ named }) => named), movesComponent('kmap', moves)],
      programs: {},
      play: {
        scene: [],
        tasks: [],
        mayEnd: (view) => [dma, ...at.writers.map(({ pc }) => pc)].every((pc) => pc.at(view) === DONE),
        never: lost.map((page) => ({ rule: RULE, when: (view) => page.all(view).includes(1) })),
      },
      symmetries: neighbours(writers).map((to) => writersAlike(at, to)),
      observed: [...lost, ...pte, ...cnt, last].map(({ name }) => name),
      /** The writers are alike. */
      underTest: ['DMA', 'writer 0'],
    };
  },
};

/** Program points of the DMA, [point, slot, line], and of a writer, [point, round, line]. */
const DONE = 9;
const LOOKUP = 0;
const INVALIDATE = 1;
const RELEASE = 2;
const KMAP = 0;
const WRITE = 1;
const KUNMAP = 2;

type State = ReturnType<typeof stateOf>;
type Writer = State['writers'][number];

/** The buffer is page 0; it was kmapped once, and kunmapped: it is in slot 1, with count 1. */
function stateOf(slots: number, lines: number, writers: number, rounds: number) {
  const pages = 1 + writers * rounds;
  const clean = Array.from({ length: lines }, () => 0);
  const inSlot1 = (slot: number): readonly number[] => [slot === 1 ? 1 : 0];
  return {
    lines,
    rounds,
    cnt: variables('cnt', slots, inSlot1),
    pte: variables('pte', slots, inSlot1),
    pa: variables('pa', pages, (page) => [page === 0 ? 2 : 0]),
    dirty: variables('dirty', slots, () => clean),
    lost: variables('lost', pages, () => clean),
    last: new Variable('last', [1]),
    dma: new Variable('dma', [LOOKUP, 0, 0]),
    writers: variables('writer', writers, () => [KMAP, 0, 0]).map((pc, number) => ({ pc, number })),
  };
}

function dmaMoves(at: State, pinned: boolean): readonly Move[] {
  const { cnt, pa, dma, lines } = at;
  const buffer = pa[0] as Variable;
  const lookUp: Move = {
    actor: 'DMA',
    label: pinned ? 'kmap_high_get(page 0)' : 'page_address(page 0)',
    when: (view) => dma.at(view) === LOOKUP,
    then: atomically((now) => {
      const slot = now.at(buffer) - 1;
      now.putAll(dma, slot < 0 ? [DONE, 0, 0] : [INVALIDATE, slot, 0]);
      if (slot >= 0 && pinned) addUsers(now, at, slot, 1);
    }),
  };
  const inSlot = cnt.flatMap((_, slot): readonly Move[] => [
    {
      actor: 'DMA',
      label: `invalidates the next line of slot ${slot}`,
      when: (view) => dma.at(view) === INVALIDATE && dma.at(view, 1) === slot,
      then: atomically((now) => {
        const line = now.at(dma, 2);
        invalidate(now, at, slot, line);
        if (line + 1 < lines) now.put(dma, line + 1, 2);
        else now.putAll(dma, pinned ? [RELEASE, slot, 0] : [DONE, 0, 0]);
      }),
    },
    {
      actor: 'DMA',
      label: `kunmap_high: slot ${slot}`,
      when: (view) => dma.at(view) === RELEASE && dma.at(view, 1) === slot,
      then: atomically((now) => {
        addUsers(now, at, slot, -1);
        now.putAll(dma, [DONE, 0, 0]);
      }),
    },
  ]);
  return [lookUp, ...inSlot];
}

/** Throws the line away: a dirty one is lost for the page that is in the slot by now. */
function invalidate(now: Writes, { dirty, pte, lost }: State, slot: number, line: number): void {
  const own = dirty[slot] as Variable;
  if (now.at(own, line) === 0) return;
  now.put(own, 0, line);
  const page = now.at(pte[slot] as Variable) - 1;
  if (page > 0) now.put(lost[page] as Variable, 1, line);
}

function writerMoves(at: State, { pc, number }: Writer): readonly Move[] {
  const { cnt, pa, dirty, lines, rounds } = at;
  const pageOf = (round: number): number => 1 + number * rounds + round;
  const actor = `writer ${number}`;
  const kmap: Move = {
    actor,
    label: 'kmap_high',
    when: (view) => pc.at(view) === KMAP && cnt.some((count) => count.at(view) <= 1),
    then: atomically((now) => {
      kmapHigh(now, at, pageOf(now.at(pc, 1)));
      now.put(pc, WRITE);
    }),
  };
  const inSlot = cnt.flatMap((_, slot): readonly Move[] => [
    {
      actor,
      label: `writes the next line of slot ${slot}`,
      when: (view) => pc.at(view) === WRITE && pa[pageOf(pc.at(view, 1))]?.at(view) === slot + 1,
      then: atomically((now) => {
        const line = now.at(pc, 2);
        now.put(dirty[slot] as Variable, 1, line);
        if (line + 1 < lines) now.put(pc, line + 1, 2);
        else now.putAll(pc, [KUNMAP, now.at(pc, 1), 0]);
      }),
    },
    {
      actor,
      label: `kunmap: slot ${slot}`,
      when: (view) => pc.at(view) === KUNMAP && pa[pageOf(pc.at(view, 1))]?.at(view) === slot + 1,
      then: atomically((now) => {
        const round = now.at(pc, 1) + 1;
        addUsers(now, at, slot, -1);
        now.putAll(pc, round < rounds ? [KMAP, round, 0] : [DONE, 0, 0]);
      }),
    },
  ]);
  return [kmap, ...inSlot];
}

/** kmap_high of a page that has no address: map_new_virtual, and one user. */
function kmapHigh(now: Writes, at: State, page: number): void {
  const { cnt, pte, pa, last } = at;
  let slot = now.at(last);
  do {
    slot = (slot + 1) % cnt.length;
    if (slot === 0) flushAllZeroPkmaps(now, at);
  } while (now.at(cnt[slot] as Variable) !== 0);
  now.put(last, slot);
  now.put(pte[slot] as Variable, page + 1);
  now.put(pa[page] as Variable, slot + 1);
  now.put(cnt[slot] as Variable, 2);
}

/** flush_cache_kmaps writes back everything; then slots without a user become free. */
function flushAllZeroPkmaps(now: Writes, { cnt, pte, pa, dirty }: State): void {
  for (const own of dirty) now.fill(own, 0);
  cnt.forEach((count, slot) => {
    if (now.at(count) !== 1) return;
    const mapped = pte[slot] as Variable;
    now.put(present(pa[now.at(mapped) - 1], 'the page of a slot with a count'), 0);
    now.put(mapped, 0);
    now.put(count, 0);
  });
}

/** One user of a slot more, or less: a count of 0 is a BUG() of kunmap_high, and each task holds one mapping. */
function addUsers(now: Writes, { cnt, writers }: State, slot: number, difference: number): void {
  const own = cnt[slot] as Variable;
  const left = now.at(own) + difference;
  assert(left >= 1, 'kunmap_high: more users have gone than came');
  assert(left <= 2 + writers.length, 'kmap_high_get: more users than tasks');
  now.put(own, left);
}

/** Writers change places with all their pages. */
function writersAlike({ writers, pa, lost, pte, rounds }: State, to: Permutation): Symmetry {
  const pages = pa.map((_, page) => {
    if (page === 0) return 0;
    const writer = Math.floor((page - 1) / rounds);
    return page + ((to[writer] as number) - writer) * rounds;
  });
  const pcs = writers.map(({ pc }) => pc);
  const mapped = new Set(pte.map(({ name }) => name));
  return {
    name: `writers ${movedOf(to)}`,
    slices: { ...movedSlices(pcs, to), ...movedSlices(pa, pages), ...movedSlices(lost, pages) },
    value: (slice, value) =>
      mapped.has(slice)
        ? (value as number[]).map((page) => (page === 0 ? 0 : (pages[page - 1] as number) + 1))
        : value,
  };
}
