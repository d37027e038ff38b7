import type { Row } from './cells.ts';
import type { FixedFootprints } from './footprints.ts';
import type { Possible, StateSpace } from './state-space.ts';

/**
 * Stubborn sets (Valmari, "Stubborn sets for reduced state space generation", 1989; as persistent sets in
 * Godefroid, LNCS 1032, ch. 4): in a state it is enough to take the enabled movers of a set in which
 *
 * 1. an enabled mover brings along every mover that may ever conflict with what it does here;
 * 2. a disabled mover brings along every mover that may write what it waits for.
 *
 * States in which nothing is enabled are all kept. A rule over states is kept in one of two ways, whichever takes
 * fewer movers:
 *
 * - the rule is one who waits, too, for the state to be broken, and brings along every mover that may write what it
 *   has read here: then a schedule to a broken state can take a mover of the set first, without becoming longer;
 * - the movers that are taken write nothing that any rule reads: then they can come before such a schedule.
 *
 * In the second way, and for what checkers say of steps, one successor must be farther from the beginning, or what
 * goes round in a circle would put the others off for ever (the search sees to that).
 */
export class PartialOrder {
  private readonly words: number;
  private readonly wanted: Uint32Array;
  private readonly queue: number[] = [];
  private readonly masks = new WeakMap<object, Uint32Array>();
  /** What the rules bring along in this state. */
  private readonly watched: Uint32Array;

  /** `row`: where the state is that is asked about. */
  constructor(
    private readonly space: StateSpace,
    private readonly footprints: FixedFootprints,
    private readonly row: Row,
  ) {
    this.words = Math.ceil(space.movers.length / 32);
    this.wanted = new Uint32Array(this.words);
    this.watched = new Uint32Array(this.words);
  }

  /** Fewer movers that suffice, of those enabled; undefined: all must be taken. */
  choose(possible: readonly Possible[], enabled: readonly number[]): readonly number[] | undefined {
    if (enabled.length < 2) return undefined;
    this.watchRules();
    let best: readonly number[] | undefined;
    for (const seed of enabled) {
      const unseen = this.close(seed, possible, enabled, (best ?? enabled).length, NO_RULES);
      if (unseen !== undefined && !this.anySeen(unseen, possible)) best = unseen;
      if (best?.length === 1) break;
      best = this.close(seed, possible, enabled, (best ?? enabled).length, this.watched) ?? best;
      if (best?.length === 1) break;
    }
    return best;
  }

  private anySeen(movers: readonly number[], possible: readonly Possible[]): boolean {
    const { rules } = this.footprints;
    return movers.some((mover) =>
      (possible[mover] as Possible).written.cells.some((cell) => rules.has(cell)),
    );
  }

  private watchRules(): void {
    const { space, watched, row } = this;
    watched.fill(0);
    for (let rule = 0; rule < space.rules; rule++) {
      const judgement = space.judgement(rule, row);
      if (!judgement.broken) unite(watched, this.maskOf(judgement, judgement.reads, []));
    }
  }

  /** The enabled movers of the set that grows from one, and from others; undefined when they are not fewer. */
  private close(
    seed: number,
    possible: readonly Possible[],
    enabled: readonly number[],
    fewerThan: number,
    others: ArrayLike<number>,
  ): readonly number[] | undefined {
    const { wanted, queue, words } = this;
    wanted.fill(0);
    queue.length = 0;
    this.want(seed >>> 5, 1 << (seed & 31));
    for (let word = 0; word < others.length; word++) this.want(word, others[word] as number);
    let taken = 0;
    for (let at = 0; at < queue.length; at++) {
      const answer = possible[queue[at] as number] as Possible;
      if (answer.enabled && ++taken >= fewerThan) return undefined;
      const mask = this.maskOf(answer, answer.reads, answer.written.cells);
      for (let word = 0; word < words; word++) this.want(word, mask[word] as number);
    }
    return enabled.filter((mover) => ((wanted[mover >>> 5] as number) & (1 << (mover & 31))) !== 0);
  }

  /** Brings movers along, as bits of a word, and queues those that are new. */
  private want(word: number, bits: number): void {
    const { wanted, queue } = this;
    let fresh = bits & ~(wanted[word] as number);
    wanted[word] = (wanted[word] as number) | fresh;
    while (fresh !== 0) {
      const bit = 31 - Math.clz32(fresh);
      queue.push(word * 32 + bit);
      fresh &= ~(1 << bit);
    }
  }

  /** Movers that may write what was read here, or touch what is written here; remembered for `asked`. */
  private maskOf(asked: object, reads: readonly number[], written: readonly number[]): Uint32Array {
    const known = this.masks.get(asked);
    if (known !== undefined) return known;
    const mask = new Uint32Array(this.words);
    const { reads: read, writes } = this.footprints;
    for (let other = 0; other < read.length; other++) {
      const brings =
        reads.some((cell) => writes[other]?.has(cell) === true) ||
        written.some((cell) => read[other]?.has(cell) === true);
      if (brings) mask[other >>> 5] = (mask[other >>> 5] as number) | (1 << (other & 31));
    }
    this.masks.set(asked, mask);
    return mask;
  }
}

const NO_RULES: readonly number[] = [];

function unite(into: Uint32Array, more: Uint32Array): void {
  for (let word = 0; word < into.length; word++) into[word] = (into[word] as number) | (more[word] as number);
}
