import type { FixedFootprints } from './footprints.ts';
import { PartialOrder } from './partial-order.ts';
import type { Possible, StateSpace } from './state-space.ts';
import type { Canonical } from './symmetry.ts';
import { Visited } from './visited.ts';

export interface SearchLimits {
  readonly maxStates: number;
  /** Do not expand states that are so many steps from the beginning. */
  readonly maxDepth: number;
  readonly throughViolations: boolean;
}

export interface ExpanderParts {
  readonly space: StateSpace;
  readonly maxDepth: number;
  readonly footprints?: FixedFootprints;
  readonly canonical?: Canonical;
}

/**
 * What every breadth-first search does with its states, whether it has all of them or its share. Invariants:
 * 1. `visited` holds states in the order of their distance from the beginning.
 * 2. `row` is the state that is expanded, but for the writes of the step that is being taken, which are taken
 *    back after it.
 */
export abstract class Expander {
  protected readonly space: StateSpace;
  protected readonly canonical: Canonical | undefined;
  protected readonly partialOrder: PartialOrder | undefined;
  protected readonly initial: Int32Array;
  protected readonly row: Int32Array;
  protected readonly visited: Visited;
  protected readonly possible: Possible[];
  private readonly answers: Int32Array;
  private readonly moving: Int32Array;
  protected readonly outcomes = new Set<string>();
  protected readonly rules = new Set<string>();
  protected transitions = 0;
  protected finalStates = 0;
  protected stuckStates = 0;
  /** Some state was not expanded, because it is too far from the beginning. */
  protected deeper = false;
  /** The state that is expanded. */
  protected at = 0;
  /** Its distance from the beginning. */
  protected depth = 0;
  /** Number of the first state of the next level. */
  protected levelEnd = 0;
  private readonly maxDepth: number;

  constructor({ space, maxDepth, footprints, canonical }: ExpanderParts) {
    this.space = space;
    this.canonical = canonical;
    this.maxDepth = maxDepth;
    this.initial = Int32Array.from(canonical?.of(space.initial) ?? space.initial);
    this.row = Int32Array.from(this.initial);
    this.visited = new Visited(this.initial);
    this.possible = new Array<Possible>(space.movers.length);
    this.answers = new Int32Array(space.movers.length);
    this.moving = new Int32Array(space.movers.length);
    if (footprints !== undefined) this.partialOrder = new PartialOrder(space, footprints, this.row);
  }

  /** Takes the steps of these movers from the state that is expanded; all of them, or first some that suffice. */
  protected abstract expand(enabled: readonly number[]): void;
  /** Nothing is enabled in the state that is expanded, and that must not be. */
  protected abstract stuck(rule: string): void;

  /** Expands state `at`. */
  protected visit(): void {
    this.visited.read(this.at, this.row);
    const enabled = this.enabledMovers();
    if (enabled.length > 0 && this.space.onlyIdle(enabled)) this.standStill();
    if (enabled.length === 0) this.end();
    else if (this.depth >= this.maxDepth) this.deeper = true;
    else this.expand(enabled);
  }

  protected enabledMovers(): number[] {
    const { space, possible, row, answers } = this;
    const count = space.atAll(row, answers, this.moving);
    const enabled: number[] = [];
    for (let i = 0; i < count; i++) {
      const mover = this.moving[i] as number;
      enabled.push(mover);
      possible[mover] = space.answer(answers[mover] as number);
    }
    if (this.partialOrder !== undefined && count > 1)
      for (let mover = 0; mover < answers.length; mover++)
        possible[mover] = space.answer(answers[mover] as number);
    return enabled;
  }

  /** Nothing can happen any more: is that an end? */
  private end(): void {
    const { space, row, canonical } = this;
    this.finalStates += 1;
    // The states that this one stands for end, too, each in its own way.
    for (const image of canonical?.images(row) ?? [row]) this.outcomes.add(space.outcome(image));
    this.standStill();
  }

  /** Nothing can happen that a task could wait for: has every task ended? */
  private standStill(): void {
    const rule = this.space.stuckRule(this.row);
    if (rule === undefined) return;
    this.stuckStates += 1;
    this.stuck(rule);
  }
}
