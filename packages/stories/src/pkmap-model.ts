import { assert, present } from '@tablewalk/base';
import type { View } from '@tablewalk/contracts';
import { movedOf, movedSlices, permutations } from './alike.ts';
import type { Permutation } from './alike.ts';
import type { ModelStory, Symmetry } from './story.ts';
import { atomically, movesComponent, Variable, variables } from './variable.ts';
import type { Move, Writes } from './variable.ts';

const TWICE = 'a page that has an address is mapped once more';
const LOST = 'a mapping that is held is gone';
const NO_ADDRESS = 'kunmap of a page without an address';
const STUCK = 'deadlock';
const RULES = [TWICE, LOST, NO_ADDRESS];

/**
 * kmap() and kunmap() with more tasks than slots: the search for a slot, the wait for one, and the second
 * look after it (mm/highmem.c: kmap_high, map_new_virtual, kunmap_high). Whoever slept must ask for the
 * address again, because another task may have mapped the page meanwhile (`bug-1`), and must be on the queue
 * before it drops the lock (`bug-2`). With HOLD=2 each task holds two mappings: also the repaired one is
 * stuck when the tasks hold all slots.
 *
 * 1. A step decides its branches itself; a local that nobody will read again is 0.
 * 2. `bad` holds the number of the latest violation and is never taken back: whoever counts past a violation
 *    finds one in every later state.
 * 3. `pte` holds 1 + page and `pa` (page_address) 1 + slot; 0 is none.
 */
export const pkmapModel: ModelStory = {
  kind: 'model',
  id: 'pkmap-protocol',
  title: 'pkmap: more tasks than slots',
  source: 'mm/highmem.c, map_new_virtual and kunmap_high',
  about:
    'Tasks kmap pages, use them and kunmap them. Who finds no slot queues, drops the lock and sleeps; ' +
    'kunmap wakes the queue when a mapping has no user left.',
  knobs: { N: 4, P: 3, S: 2, R: 1, HOLD: 1 },
  variants: {
    repaired: {
      verdict: 'holds',
      what: 'queues under the lock, and looks again for the address after it slept',
    },
    'bug-1': { verdict: 'violated', what: 'does not look again for the address', rule: TWICE },
    'bug-2': { verdict: 'violated', what: 'drops the lock before it queues', rule: STUCK },
  },
  survivors: [
    {
      named: /^task 0, map_new_virtual: looks at the next slot: without its fact [25] of 8$/,
      why:
        'it looks on without counting, for ever if no slot is free (livelock); or a sweep leaves an address behind, ' +
        'of a page that nobody asks for again: task 1 sweeps page 0, which task 3 asks for, and is caught',
    },
    {
      named: /looks at the next slot: without its fact [3467] of 8$/,
      why:
        'of a swept slot the old pte or the count of 1 stays: the mapping that takes it writes both, ' +
        'and an unmapped slot with count 1 is swept again at the next turn',
    },
    {
      named: /looks at the next slot: without its fact 8 of 8$/,
      why: 'it has swept both slots, and looks at one more: that one is free as well',
    },
    {
      named: /add_wait_queue: is about to sleep: without its fact 2 of 3$/,
      why: 'it does not sleep, and looks again at once: a busy wait costs time, and time is not looked at',
    },
    {
      named: /add_wait_queue: is about to sleep: without its fact 3 of 3$/,
      why: 'it queues for ever with the lock in its hand: a step can always be taken (livelock)',
    },
    {
      named: /unlocks, having found no slot: without its fact 2 of 2$/,
      why:
        'it unlocks for ever, and so takes the lock from others: two searches at once would go wrong, ' +
        'but with both slots in use only one task is left to search (S=1 catches it)',
    },
    {
      named: /wakes up: remove_wait_queue: without its fact 1 of 2$/,
      why: 'it stays on the queue: kunmap wakes one that is awake',
    },
    {
      named: /(wakes up: remove_wait_queue: without its fact 2 of 2|uses what it has mapped: .* 1 of 1)$/,
      why: 'it wakes up, or uses its page, for ever: a livelock that breaks no rule',
    },
    {
      named: /drops a user, and unlocks: without its fact 1 of 4$/,
      why: 'the slot keeps a user that has gone: with one slot left the others take turns (S=1 catches it)',
    },
    {
      named:
        /(drops a user, and unlocks: .* 4 of 4|task 0, .* wakes the queue: .* 3 of 3|wakes the queue: .* 4 of 4)$/,
      why: 'the number of tasks that have ended is only reported: nobody reads it',
    },
  ],
  build(variant, { N: tasks = 4, P: pages = 3, S: slots = 2, R: rounds = 1, HOLD: hold = 1 }) {
    const at = stateOf(variant, { tasks, pages, slots, rounds, hold });
    const { cnt, pte, pa, last, lock, inq, slp, pcs, ndone, bad } = at;
    const known = [...cnt, ...pte, ...pa, last, lock, ...inq, ...slp, ...pcs, ndone, bad];
    const moves = pcs.flatMap((_, task) => movesOf(at, task));
    return {
      cpus: 1,
      components: [...known.map(({ named }) => named), movesComponent('kmap', moves)],
      programs: {},
      play: {
        scene: [],
        tasks: [],
        mayEnd: (view) => pcs.every((pc) => pc.at(view) === DONE),
        never: RULES.map((rule, i) => ({ rule, when: (view) => bad.at(view) === i + 1 })),
      },
      symmetries: tasksAlike(at),
      observed: [...pte, ...cnt, last, ...inq, ndone].map(({ name }) => name),
      /** One that shares its page with the last task, and one that does not; the others are as these. */
      underTest: ['task 0', 'task 1'],
    };
  },
};

/** Program points of a task, [point, round, mappings held, slots yet to look at]. */
const KMAP = 0;
const SEARCH = 1;
const QUEUE = 2;
const UNLOCK = 3;
const SLEEP = 4;
const RELOCK = 5;
const MAP = 6;
const COUNT = 7;
const USE = 8;
const KUNMAP = 9;
const DROP = 10;
const WAKE = 11;
const DONE = 12;
/** It has found no address, and has the lock for ever: BUG_ON(!vaddr). */
const DEAD = 13;

/** Places of its locals. */
const ROUND = 1;
const HELD = 2;
const TRIES = 3;

/** A count that a bug takes below 0 goes on as a byte does. */
const BYTE = 256;

interface Size {
  readonly tasks: number;
  readonly pages: number;
  readonly slots: number;
  readonly rounds: number;
  readonly hold: number;
}
type State = ReturnType<typeof stateOf>;

function stateOf(variant: string, size: Size) {
  return {
    ...size,
    variant,
    cnt: variables('cnt', size.slots),
    pte: variables('pte', size.slots),
    pa: variables('pa', size.pages),
    last: new Variable('last', [0]),
    lock: new Variable('kmap_lock', [0]),
    inq: variables('inq', size.tasks),
    slp: variables('slp', size.tasks),
    pcs: variables('task', size.tasks, () => [KMAP, 0, 0, 0]),
    ndone: new Variable('ndone', [0]),
    bad: new Variable('bad', [0]),
  };
}

const pageOf = ({ hold, pages }: Size, task: number, round: number, held: number): number =>
  (task * hold + held + round) % pages;

/** A step of one task: what it reads, and what it has written so far. */
class Turn {
  constructor(
    readonly at: State,
    readonly now: Writes,
    readonly task: number,
  ) {}

  local(place: number): number {
    return this.now.at(this.at.pcs[this.task] as Variable, place);
  }
  goes(point: number, locals: { round?: number; held?: number; tries?: number } = {}): void {
    const { round = this.local(ROUND), held = this.local(HELD), tries = 0 } = locals;
    this.now.putAll(this.at.pcs[this.task] as Variable, [point, round, held, tries]);
  }
  page(mapping: number): number {
    return pageOf(this.at, this.task, this.local(ROUND), mapping);
  }
  /** page_address: 1 + slot, or 0. */
  address(mapping: number): number {
    return this.now.at(this.at.pa[this.page(mapping)] as Variable);
  }
  /** pkmap_count of the slot of a page that has an address. */
  count(mapping: number): Variable {
    return present(this.at.cnt[this.address(mapping) - 1], 'the address of a page that is mapped');
  }
  violates(rule: string): void {
    this.now.put(this.at.bad, 1 + RULES.indexOf(rule));
  }
}

interface Step {
  readonly label: string;
  readonly needs?: (view: View, at: State, task: number) => boolean;
  readonly take: (turn: Turn) => void;
}

const lockIsFree = (view: View, { lock }: State): boolean => lock.at(view) === 0;
const isAwake = (view: View, { slp }: State, task: number): boolean => slp[task]?.at(view) === 0;

const STEPS: Readonly<Record<number, Step>> = {
  [KMAP]: {
    label: 'kmap_high: locks, and asks for the address',
    needs: lockIsFree,
    take: (turn) => lookUp(turn, true),
  },
  [SEARCH]: { label: 'map_new_virtual: looks at the next slot', take: search },
  [QUEUE]: { label: 'add_wait_queue: is about to sleep', take: queueUp },
  [UNLOCK]: { label: 'unlocks, having found no slot', take: unlockToSleep },
  [SLEEP]: { label: 'wakes up: remove_wait_queue', needs: isAwake, take: wakeUp },
  [RELOCK]: {
    label: 'locks again',
    needs: lockIsFree,
    take: (turn) => lookUp(turn, turn.at.variant !== 'bug-1'),
  },
  [MAP]: { label: 'map_new_virtual: maps the page in the slot', take: mapNew },
  [COUNT]: { label: 'kmap_high: counts itself as a user, and unlocks', take: countUser },
  [USE]: { label: 'uses what it has mapped', take: use },
  [KUNMAP]: { label: 'kunmap_high: locks', needs: lockIsFree, take: lockToUnmap },
  [DROP]: { label: 'kunmap_high: drops a user, and unlocks', take: dropUser },
  [WAKE]: { label: 'kunmap_high: wakes the queue', take: wakeQueue },
};

/** With the lock: is the page mapped already? If not, or if nobody asks, a search begins. */
function lookUp(turn: Turn, asks: boolean): void {
  turn.now.put(turn.at.lock, 1);
  if (asks && turn.address(turn.local(HELD)) !== 0) turn.goes(COUNT);
  else turn.goes(SEARCH, { tries: turn.at.slots });
}

function search(turn: Turn): void {
  const { at, now } = turn;
  const slot = (now.at(at.last) + 1) % at.slots;
  now.put(at.last, slot);
  if (slot === 0) flushAllZeroPkmaps(now, at);
  const tries = (slot === 0 ? at.slots : turn.local(TRIES)) - 1;
  if (now.at(at.cnt[slot] as Variable) === 0) turn.goes(MAP);
  else if (tries > 0) turn.goes(SEARCH, { tries });
  else turn.goes(at.variant === 'bug-2' ? UNLOCK : QUEUE);
}

function flushAllZeroPkmaps(now: Writes, { cnt, pte, pa }: State): void {
  cnt.forEach((count, slot) => {
    if (now.at(count) !== 1) return;
    const mapped = pte[slot] as Variable;
    if (now.at(mapped) !== 0) now.put(pa[now.at(mapped) - 1] as Variable, 0);
    now.put(mapped, 0);
    now.put(count, 0);
  });
}

function queueUp(turn: Turn): void {
  const { at, now, task } = turn;
  now.put(at.inq[task] as Variable, 1);
  now.put(at.slp[task] as Variable, 1);
  turn.goes(at.variant === 'bug-2' ? SLEEP : UNLOCK);
}

function unlockToSleep(turn: Turn): void {
  turn.now.put(turn.at.lock, 0);
  turn.goes(turn.at.variant === 'bug-2' ? QUEUE : SLEEP);
}

function wakeUp(turn: Turn): void {
  turn.now.put(turn.at.inq[turn.task] as Variable, 0);
  turn.goes(RELOCK);
}

function mapNew(turn: Turn): void {
  const { at, now } = turn;
  const slot = now.at(at.last);
  const page = turn.page(turn.local(HELD));
  if (now.at(at.pa[page] as Variable) !== 0) turn.violates(TWICE);
  now.put(at.pte[slot] as Variable, page + 1);
  now.put(at.cnt[slot] as Variable, 1);
  now.put(at.pa[page] as Variable, slot + 1);
  turn.goes(COUNT);
}

function countUser(turn: Turn): void {
  const { at, now } = turn;
  const count = turn.count(turn.local(HELD));
  const mappings = at.tasks * at.rounds * at.hold;
  assert(now.at(count) !== 1 + mappings, 'kmap_high: more users than mappings');
  now.put(count, now.at(count) + 1);
  now.put(at.lock, 0);
  const held = turn.local(HELD) + 1;
  turn.goes(held < at.hold ? KMAP : USE, { held });
}

function use(turn: Turn): void {
  const { at, now } = turn;
  for (let mapping = 0; mapping < turn.local(HELD); mapping++) {
    const slot = turn.address(mapping) - 1;
    const there = slot >= 0 && now.at(at.pte[slot] as Variable) === turn.page(mapping) + 1;
    if (!there || now.at(at.cnt[slot] as Variable) < 2) turn.violates(LOST);
  }
  turn.goes(KUNMAP);
}

function lockToUnmap(turn: Turn): void {
  turn.now.put(turn.at.lock, 1);
  if (turn.address(turn.local(HELD) - 1) !== 0) return turn.goes(DROP);
  turn.violates(NO_ADDRESS);
  turn.goes(DEAD, { round: 0, held: 0 });
}

function dropUser(turn: Turn): void {
  const { at, now } = turn;
  const held = turn.local(HELD) - 1;
  const count = turn.count(held);
  const left = (now.at(count) + BYTE - 1) % BYTE;
  now.put(count, left);
  now.put(at.lock, 0);
  if (left === 1 && at.inq.some((queued) => now.at(queued) === 1)) turn.goes(WAKE, { held });
  else goOn(turn, held);
}

function wakeQueue(turn: Turn): void {
  const { at, now } = turn;
  at.inq.forEach((queued, task) => {
    if (now.at(queued) === 1) now.put(at.slp[task] as Variable, 0);
  });
  goOn(turn, turn.local(HELD));
}

/** The next mapping to give up, the next round, or the end. */
function goOn(turn: Turn, held: number): void {
  const { at, now } = turn;
  const round = turn.local(ROUND) + 1;
  if (held > 0) turn.goes(KUNMAP, { held });
  else if (round < at.rounds) turn.goes(KMAP, { round, held });
  else {
    turn.goes(DONE, { round: 0, held });
    assert(now.at(at.ndone) < at.tasks, 'more tasks have ended than there are');
    now.put(at.ndone, now.at(at.ndone) + 1);
  }
}

const movesOf = (at: State, task: number): readonly Move[] =>
  Object.entries(STEPS).map(([point, { label, needs, take }]) => ({
    actor: `task ${task}`,
    label,
    when: (view) => at.pcs[task]?.at(view) === Number(point) && needs?.(view, at, task) !== false,
    then: atomically((now) => take(new Turn(at, now, task))),
  }));

/** Beyond so many tasks the permutations are too many to try. */
const TASKS_PERMUTED_MAX = 6;

/** Tasks are alike where their pages can change places with them. */
const tasksAlike = (at: State): readonly Symmetry[] =>
  at.tasks > TASKS_PERMUTED_MAX
    ? []
    : permutations(at.tasks)
        .filter((to) => to.some((task, i) => task !== i))
        .flatMap((to) => {
          const pages = pagesFollowing(at, to);
          return pages === undefined ? [] : [moved(at, to, pages)];
        });

/** Where pages go with the tasks: in every round and mapping one page must become the same other one. */
function pagesFollowing(at: State, to: Permutation): Permutation | undefined {
  const goesTo = new Map<number, number>();
  for (let task = 0; task < at.tasks; task++)
    for (let round = 0; round < at.rounds; round++)
      for (let held = 0; held < at.hold; held++) {
        const page = pageOf(at, task, round, held);
        const other = pageOf(at, to[task] as number, round, held);
        if ((goesTo.get(page) ?? other) !== other) return undefined;
        goesTo.set(page, other);
      }
  return at.pa.map((_, page) => goesTo.get(page) ?? page);
}

function moved({ pcs, inq, slp, pa, pte }: State, to: Permutation, pages: Permutation): Symmetry {
  const slots = new Set(pte.map(({ name }) => name));
  const after = (page: number): number => (page === 0 ? 0 : (pages[page - 1] as number) + 1);
  return {
    name: `tasks ${movedOf(to)}`,
    slices: {
      ...movedSlices(pcs, to),
      ...movedSlices(inq, to),
      ...movedSlices(slp, to),
      ...movedSlices(pa, pages),
    },
    value: (slice, value) => (slots.has(slice) ? (value as number[]).map(after) : value),
  };
}
