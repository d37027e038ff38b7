import type { FixedFootprints } from './footprints.ts';
import type { Possible, StateSpace } from './state-space.ts';

/**
 * Stubborn sets (Valmari, "Stubborn sets for reduced state space generation", 1989; as persistent sets in
 * Godefroid, LNCS 1032, ch. 4): in a state it is enough to take the enabled movers of a set in which
 *
 * 1. an enabled mover brings along every mover that may ever conflict with what it does here;
 * 2. a disabled mover brings along every mover that may write what it waits for.
 *
 * States in which nothing is enabled are all kept. So that a rule over states is kept too, the movers taken must
 * write nothing that the rule reads; and one successor must be farther from the beginning, or what goes
 * round in a circle would put the others off for ever (the search sees to that).
 */
export class PartialOrder {
  private readonly words: number;
  private readonly wanted: Uint32Array;
  private readonly queue: number[] = [];
  private readonly masks = new WeakMap<Possible, Uint32Array>();

  constructor(
    space: StateSpace,
    private readonly footprints: FixedFootprints,
  ) {
    this.words = Math.ceil(space.movers.length / 32);
    this.wanted = new Uint32Array(this.words);
  }

  /** Fewer movers that suffice, of those enabled; undefined: all must be taken. */
  choose(possible: readonly Possible[], enabled: readonly number[]): readonly number[] | undefined {
    if (enabled.length < 2) return undefined;
    let best: readonly number[] | undefined;
    for (const seed of enabled) {
      const chosen = this.close(seed, possible, enabled, (best ?? enabled).length);
      if (chosen === undefined) continue;
      best = chosen;
      if (best.length === 1) break;
    }
    return best;
  }

  /** The enabled movers of the set that grows from one; undefined when they are not fewer, or can be seen. */
  private close(
    seed: number,
    possible: readonly Possible[],
    enabled: readonly number[],
    fewerThan: number,
  ): readonly number[] | undefined {
    const { wanted, queue, words } = this;
    wanted.fill(0);
    wanted[seed >>> 5] = (wanted[seed >>> 5] as number) | (1 << (seed & 31));
    queue.length = 0;
    queue.push(seed);
    let taken = 0;
    for (let at = 0; at < queue.length; at++) {
      const answer = possible[queue[at] as number] as Possible;
      if (answer.enabled) {
        taken += 1;
        if (taken >= fewerThan || this.visible(answer)) return undefined;
      }
      const mask = this.maskOf(answer);
      for (let word = 0; word < words; word++) {
        let fresh = (mask[word] as number) & ~(wanted[word] as number);
        wanted[word] = (wanted[word] as number) | fresh;
        while (fresh !== 0) {
          const bit = 31 - Math.clz32(fresh);
          queue.push(word * 32 + bit);
          fresh &= ~(1 << bit);
        }
      }
    }
    return enabled.filter((mover) => ((wanted[mover >>> 5] as number) & (1 << (mover & 31))) !== 0);
  }

  private visible({ written }: Possible): boolean {
    const { rules } = this.footprints;
    for (const cell of written.cells) if (rules.has(cell)) return true;
    return false;
  }

  /** Movers that an answer brings along. */
  private maskOf(answer: Possible): Uint32Array {
    const known = this.masks.get(answer);
    if (known !== undefined) return known;
    const mask = new Uint32Array(this.words);
    const { reads, writes } = this.footprints;
    for (let other = 0; other < reads.length; other++) {
      const theirs = writes[other] as ReadonlySet<number>;
      const brings =
        answer.reads.some((cell) => theirs.has(cell)) ||
        (answer.enabled && answer.written.cells.some((cell) => reads[other]?.has(cell) === true));
      if (brings) mask[other >>> 5] = (mask[other >>> 5] as number) | (1 << (other & 31));
    }
    this.masks.set(answer, mask);
    return mask;
  }
}
