import type { FixedFootprints } from './footprints.ts';
import { PartialOrder } from './partial-order.ts';
import type { Progress } from './result.ts';
import type { Possible, StateSpace } from './state-space.ts';
import type { Canonical } from './symmetry.ts';
import { Visited } from './visited.ts';

export interface SearchLimits {
  readonly maxStates: number;
  /** Do not expand states that are so many steps from the beginning. */
  readonly maxDepth: number;
  readonly throughViolations: boolean;
}

export interface SearchParts extends SearchLimits {
  readonly space: StateSpace;
  readonly footprints?: FixedFootprints;
  readonly canonical?: Canonical;
  readonly phase: Progress['phase'];
  readonly onProgress?: (progress: Progress) => void;
}

/** A violation as a search sees it: the movers that lead to it, in the search's own states. */
export interface Found {
  readonly checker: string;
  readonly rule: string;
  readonly movers: readonly number[];
}

export interface Searched {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly finalStates: number;
  readonly stuckStates: number;
  readonly outcomes: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
  readonly found: Found | undefined;
  /** Every state that can be reached within the depth was expanded. */
  readonly complete: boolean;
  readonly deeper: boolean;
  readonly bytesPerState: number;
}

const PROGRESS_EVERY = 8192;

/**
 * Breadth first over the states, each once. Without reductions the violation that is kept is one of the shortest.
 * A level is searched to its end before a violation stops the search, so that counts depend on no order. Invariants:
 * 1. `visited` holds states in the order of their distance from the beginning.
 * 2. `row` is state `at`, but for the writes of the step that is being taken, which are taken back after it.
 */
export class Search {
  private readonly row: Int32Array;
  private readonly visited: Visited;
  private readonly partialOrder: PartialOrder | undefined;
  private readonly possible: Possible[];
  private readonly outcomes = new Set<string>();
  private readonly rules = new Set<string>();
  private transitions = 0;
  private finalStates = 0;
  private stuckStates = 0;
  private found: (Found & { readonly steps: number }) | undefined;
  /** The step, or one before it from the same state, led farther from the beginning. */
  private fresh = false;
  /** Number of the first state of the next level. */
  private levelEnd = 1;
  private at = 0;

  constructor(private readonly parts: SearchParts) {
    const { space, footprints, canonical } = parts;
    const initial = canonical?.of(space.initial) ?? space.initial;
    this.row = Int32Array.from(initial);
    this.visited = new Visited(Int32Array.from(initial));
    this.possible = new Array<Possible>(space.movers.length);
    if (footprints !== undefined) this.partialOrder = new PartialOrder(space, footprints);
    this.visited.add(this.row, space.layout.hash.row(this.row), -1, 0);
    const rule = space.brokenRule(this.row);
    if (rule !== undefined) this.violated('never', rule, 0, []);
  }

  run(): Searched {
    const { visited, row } = this;
    const { maxStates, maxDepth, throughViolations } = this.parts;
    let depth = 0;
    this.levelEnd = visited.count;
    let deeper = false;
    for (; this.at < visited.count; this.at++) {
      if (this.at === this.levelEnd) {
        if (this.found !== undefined && !throughViolations) break;
        depth += 1;
        this.levelEnd = visited.count;
      }
      if (visited.count > maxStates) break;
      if ((this.at & (PROGRESS_EVERY - 1)) === 0) this.report(depth);
      visited.read(this.at, row);
      const enabled = this.enabledMovers();
      if (enabled.length === 0) this.end(depth);
      else if (depth >= maxDepth) deeper = true;
      else this.expand(enabled, depth);
    }
    return {
      states: visited.count,
      transitions: this.transitions,
      depth,
      finalStates: this.finalStates,
      stuckStates: this.stuckStates,
      outcomes: this.outcomes,
      rules: this.rules,
      found: this.found,
      complete: this.at >= visited.count,
      deeper,
      bytesPerState: visited.bytesPerState,
    };
  }

  private enabledMovers(): number[] {
    const { space } = this.parts;
    const { possible, row } = this;
    const enabled: number[] = [];
    for (let mover = 0; mover < possible.length; mover++) {
      const answer = space.at(row, mover);
      possible[mover] = answer;
      if (answer.enabled) enabled.push(mover);
    }
    return enabled;
  }

  /** Nothing can happen any more: is that an end? */
  private end(depth: number): void {
    const { space } = this.parts;
    this.finalStates += 1;
    this.outcomes.add(space.outcome(this.row));
    const rule = space.stuckRule(this.row);
    if (rule === undefined) return;
    this.stuckStates += 1;
    this.violated('kernel', rule, depth, this.visited.path(this.at));
  }

  private expand(enabled: readonly number[], depth: number): void {
    const chosen = this.partialOrder?.choose(this.possible, enabled);
    this.fresh = false;
    for (const mover of chosen ?? enabled) this.step(mover, depth);
    if (chosen === undefined || this.fresh) return;
    for (const mover of enabled) if (!chosen.includes(mover)) this.step(mover, depth);
  }

  private step(mover: number, depth: number): void {
    const { row, visited, at } = this;
    const { space, canonical } = this.parts;
    const { cells, numbers, before, hash, violation } = (this.possible[mover] as Possible).written;
    this.transitions += 1;
    for (let i = 0; i < cells.length; i++) row[cells[i] as number] = numbers[i] as number;
    if (violation !== undefined)
      this.violated(violation.checker, violation.rule, depth + 1, [...visited.path(at), mover]);
    const known = visited.count;
    const kept = canonical === undefined ? row : canonical.of(row);
    const state =
      canonical === undefined
        ? visited.add(kept, visited.hashOf(at) ^ hash, at, mover, cells)
        : visited.add(kept, space.layout.hash.row(kept), at, mover);
    if (state >= 0 || -1 - state >= this.levelEnd) this.fresh = true;
    if (visited.count > known) {
      const rule = space.brokenRule(kept);
      if (rule !== undefined) this.violated('never', rule, depth + 1, visited.path(state));
    }
    for (let i = 0; i < cells.length; i++) row[cells[i] as number] = before[i] as number;
  }

  /** Keeps the shortest: a stuck state of a level is nearer than a step out of it. */
  private violated(checker: string, rule: string, steps: number, movers: readonly number[]): void {
    this.rules.add(rule);
    if (this.found === undefined || steps < this.found.steps) this.found = { checker, rule, movers, steps };
  }

  private report(depth: number): void {
    const { visited, transitions, at } = this;
    const { phase, onProgress } = this.parts;
    onProgress?.({ states: visited.count, transitions, frontier: visited.count - at, depth, phase });
  }
}
