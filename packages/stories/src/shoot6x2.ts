import type { View } from '@tablewalk/contracts';
import type { Never } from '@tablewalk/machine';
import { movedNumbers, movedOf, movedSlices, neighbours } from './alike.ts';
import type { ModelStory, Staged, Symmetry } from './story.ts';
import { atomically, movesComponent, Variable, variables } from './variable.ts';
import type { Move, Writes } from './variable.ts';

const RULE = 'a TLB holds a page that is not mapped, and no shootdown is under way';

/**
 * The smallest TLB shootdown: CPU 0 unmaps, sends an IPI to each other CPU, and waits for each of them to
 * acknowledge; all the time any CPU may walk, and between shootdowns any page may be mapped again. For 6 CPUs
 * and 2 pages SPIN 6.5.2 and TLC agree on 195,981 states and 1,243,706 generated, the initial one among them;
 * with `last`, the page that each CPU used last, TLC finds 2,468,528 and 16,048,756.
 *
 * 1. Map and Unmap need nothing but an idle initiator: mapping a mapped page is a transition too, from a
 *    state to itself.
 * 2. `no-ipi`: an unmapping is over when the pte is clear, so that the initiator is always idle.
 * 3. `any-order` is ours: the other CPUs are alike where nobody counts through them.
 */
export const shoot6x2: ModelStory = {
  kind: 'model',
  id: 'shoot6x2',
  title: 'TLB shootdown: no translation outlives its unmapping',
  source: 'a cross-check of model checkers, stated alike for SPIN and TLC; after arch/x86/mm/tlb.c',
  about:
    'CPU 0 clears a pte, flushes its own TLB, interrupts the other CPUs one after the other and goes on ' +
    'when all have flushed theirs. Meanwhile every CPU may walk the page table and fill its TLB.',
  knobs: { cpus: 6, pages: 2, last: 0 },
  variants: {
    repaired: { verdict: 'holds', what: 'sends every IPI and waits for every acknowledgement' },
    'no-ipi': { verdict: 'violated', what: 'clears the pte and sends nothing', rule: RULE },
    'no-wait': { verdict: 'violated', what: 'sends every IPI and waits for nobody', rule: RULE },
    'any-order': { verdict: 'holds', what: 'sends the IPIs in any order' },
  },
  survivors: [
    {
      named: /^CPU \d+, takes the IPI: .* fact 2 of 2$/,
      why: 'it takes the same IPI for ever and acknowledges none; CPU 0 waits, but nothing is stuck (livelock)',
    },
    {
      named: /^CPU 0, sends an IPI to CPU \d+: without its fact 2 of 2$/,
      why: 'it interrupts the same CPU for ever and never comes to wait: a livelock, during which nothing is claimed',
    },
    {
      named: /^CPU 0, has sent every IPI: without its fact 1 of 2$/,
      why: 'it begins to send again, for ever: a livelock, during which nothing is claimed',
    },
    {
      named: /^CPU 0, (sees the acknowledgement of CPU \d+: .* 1 of 1|has seen them all: .* 1 of 2)$/,
      why: 'it sees the same acknowledgements for ever: a livelock, during which nothing is claimed',
    },
    {
      named: /^CPU 0, unmaps page \d+, .* fact 1 of 3$/,
      why: 'the pte stays: no translation outlives it, and a shootdown too many does no harm',
    },
    {
      named: /^CPU 0, maps page \d+: without its fact 1 of 1$/,
      why: 'nothing is mapped: what cannot be walked leaves nothing in a TLB',
    },
  ],
  build(variant, { cpus = 6, pages = 2, last = 0 }) {
    const at = stateOf(cpus, pages, last === 1);
    const free = variant === 'any-order';
    const initiator = free ? inAnyOrder(at) : inOrder(at, variant !== 'no-wait');
    const alike = last === 1 ? [] : [...pagesAlike(at), ...(free ? cpusAlike(at) : [])];
    const moves = [
      ...at.cpus.flatMap((cpu) => at.pte.map((pte, page) => access(cpu, pte, page))),
      ...at.others.map(takeIpi),
      ...at.pte.flatMap((_, page) => [unmap(at, page, variant), map(at, page)]),
      ...(variant === 'no-ipi' ? [] : initiator),
    ];
    return stage(at, moves, alike);
  },
};

const IDLE = 0;
const SEND = 1;
const WAIT = 2;
/**
 * Places in `ipi[c]`, which nobody sends to CPU 0: it is pending, it was acknowledged, it has yet to be sent
 * (where the order is free).
 */
const PENDING = 0;
const ACKNOWLEDGED = 1;
const UNSENT = 2;

interface Cpu {
  readonly cpu: number;
  /** By page: 1 if it holds a translation. */
  readonly tlb: Variable;
  readonly ipi: Variable;
  readonly last: Variable | undefined;
}
type State = ReturnType<typeof stateOf>;

function stateOf(count: number, pages: number, last: boolean) {
  const tlb = variables('tlb', count, () => Array.from({ length: pages }, () => 0));
  const ipi = variables('ipi', count, () => [0, 0, 0]);
  const used = last ? variables('last', count) : [];
  const cpus = tlb.map((own, cpu): Cpu => ({ cpu, tlb: own, ipi: ipi[cpu] as Variable, last: used[cpu] }));
  return {
    cpus,
    others: cpus.slice(1),
    tlb,
    ipi,
    pte: variables('pte', pages, () => [1]),
    pc: new Variable('pc', [IDLE]),
    /** The CPU whose turn it is, to be sent an IPI or waited for. */
    k: new Variable('k', [1]),
  };
}

const access = ({ cpu, tlb, last }: Cpu, pte: Variable, page: number): Move => ({
  actor: `walker of CPU ${cpu}`,
  label: `walks, and fills the TLB with page ${page}`,
  when: (view) => tlb.at(view, page) === 0 && pte.at(view) === 1,
  then: atomically((now) => {
    now.put(tlb, 1, page);
    if (last !== undefined) now.put(last, page);
  }),
});

const takeIpi = ({ cpu, tlb, ipi }: Cpu): Move => ({
  actor: `CPU ${cpu}`,
  label: 'takes the IPI: flushes its TLB and acknowledges',
  when: (view) => ipi.at(view, PENDING) === 1,
  then: atomically((now) => {
    now.fill(tlb, 0);
    now.put(ipi, 0, PENDING);
    now.put(ipi, 1, ACKNOWLEDGED);
  }),
});

/** A move of CPU 0 at one place of its program. */
const initiates = (
  { pc }: State,
  place: number,
  label: string,
  when: NonNullable<Move['when']>,
  step: (now: Writes) => void,
): Move => ({
  actor: 'CPU 0',
  label,
  when: (view) => pc.at(view) === place && when(view),
  then: atomically(step),
});
const always = (): boolean => true;

const map = (at: State, page: number): Move =>
  initiates(at, IDLE, `maps page ${page}`, always, (now) => now.put(at.pte[page] as Variable, 1));

const unmap = (at: State, page: number, variant: string): Move =>
  initiates(at, IDLE, `unmaps page ${page}, and flushes it from its own TLB`, always, (now) => {
    now.put(at.pte[page] as Variable, 0);
    now.put((at.cpus[0] as Cpu).tlb, 0, page);
    if (variant === 'no-ipi') return;
    now.put(at.pc, SEND);
    if (variant === 'any-order') for (const { ipi } of at.others) now.put(ipi, 1, UNSENT);
  });

const send = (now: Writes, { ipi }: Cpu): void => {
  now.put(ipi, 0, ACKNOWLEDGED);
  now.put(ipi, 1, PENDING);
};

/**
 * One CPU after the other, as the loops of the source; where all have had their turn, on to the next place.
 */
function inOrder(at: State, waits: boolean): readonly Move[] {
  const { pc, k, cpus, others } = at;
  const turn = (cpu: number) => (view: View) => k.at(view) === cpu;
  const restart = (now: Writes, place: number): void => {
    now.put(pc, place);
    now.put(k, 1);
  };
  return [
    ...others.map((other) =>
      initiates(at, SEND, `sends an IPI to CPU ${other.cpu}`, turn(other.cpu), (now) => {
        send(now, other);
        now.put(k, other.cpu + 1);
      }),
    ),
    initiates(at, SEND, 'has sent every IPI', turn(cpus.length), (now) => restart(now, waits ? WAIT : IDLE)),
    ...others.map(({ cpu, ipi }) =>
      initiates(
        at,
        WAIT,
        `sees the acknowledgement of CPU ${cpu}`,
        (view) => k.at(view) === cpu && ipi.at(view, ACKNOWLEDGED) === 1,
        (now) => now.put(k, cpu + 1),
      ),
    ),
    initiates(at, WAIT, 'has seen them all', turn(cpus.length), (now) => restart(now, IDLE)),
  ];
}

function inAnyOrder(at: State): readonly Move[] {
  const { pc, others } = at;
  return [
    ...others.map((other) =>
      initiates(
        at,
        SEND,
        `sends an IPI to CPU ${other.cpu}`,
        (view) => other.ipi.at(view, UNSENT) === 1,
        (now) => {
          send(now, other);
          now.put(other.ipi, 0, UNSENT);
        },
      ),
    ),
    initiates(
      at,
      SEND,
      'has sent every IPI',
      (view) => others.every(({ ipi }) => ipi.at(view, UNSENT) === 0),
      (now) => now.put(pc, WAIT),
    ),
    initiates(
      at,
      WAIT,
      'sees every acknowledgement',
      (view) => others.every(({ ipi }) => ipi.at(view, ACKNOWLEDGED) === 1),
      (now) => now.put(pc, IDLE),
    ),
  ];
}

function stage(at: State, moves: readonly Move[], alike: readonly Symmetry[]): Staged {
  const { cpus, tlb, ipi, pte, pc, k } = at;
  const known = [...pte, ...tlb, ...ipi, ...cpus.flatMap(({ last }) => last ?? []), pc, k];
  return {
    cpus: cpus.length,
    components: [...known.map(({ named }) => named), movesComponent('shootdown', moves)],
    programs: {},
    play: {
      scene: [],
      tasks: [],
      mayEnd: (view) => pc.at(view) === IDLE,
      never: tlb.map((own) => stale(at, own)),
    },
    symmetries: alike,
    /** The walkers are what it has to stand. */
    underTest: cpus.map(({ cpu }) => `CPU ${cpu}`),
  };
}

/** A rule for each CPU: what it reads is small. */
const stale = ({ pc, pte }: State, tlb: Variable): Never => ({
  rule: RULE,
  when: (view) =>
    pc.at(view) === IDLE && tlb.all(view).some((held, page) => held === 1 && pte[page]?.at(view) === 0),
});

/** Pages are alike, everywhere; `last` begins with page 0 and would tell them apart. */
const pagesAlike = ({ pte, tlb }: State): readonly Symmetry[] =>
  neighbours(pte.length).map((to) => ({
    name: `pages ${movedOf(to)}`,
    slices: movedSlices(pte, to),
    value: (slice, value) =>
      tlb.some(({ name }) => name === slice) ? movedNumbers(value as number[], to) : value,
  }));

/** The CPUs that take interrupts are alike if nobody counts through them. */
const cpusAlike = ({ tlb, ipi }: State): readonly Symmetry[] =>
  neighbours(tlb.length, 1).map((to) => ({
    name: `CPUs ${movedOf(to)}`,
    slices: { ...movedSlices(tlb, to), ...movedSlices(ipi, to) },
  }));
