import { Expander } from './expander.ts';
import type { ExpanderParts, SearchLimits } from './expander.ts';
import type { Progress } from './result.ts';
import type { Possible } from './state-space.ts';

export interface SearchParts extends SearchLimits, ExpanderParts {
  readonly phase: Progress['phase'];
  readonly onProgress?: (progress: Progress) => void;
}

/** The nearest violation that a search saw. */
export interface Sighted {
  /** Steps of a shortest schedule to it, of those that were searched. */
  readonly steps: number;
}
/** With the movers that lead to it, in the search's own states. */
export interface Found extends Sighted {
  readonly movers: readonly number[];
}

export interface Searched<Violation extends Sighted = Found> {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly finalStates: number;
  readonly stuckStates: number;
  readonly outcomes: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
  readonly found: Violation | undefined;
  /** Every state that can be reached within the depth was expanded. */
  readonly complete: boolean;
  readonly deeper: boolean;
  readonly bytesPerState: number;
}

const PROGRESS_EVERY = 512;

/**
 * Breadth first over the states, each once. Without reductions the violation that is kept is one of the shortest.
 * A level is searched to its end before a violation stops the search, so that counts depend on no order.
 */
export class Search extends Expander {
  private found: Found | undefined;
  /** The step, or one before it from the same state, led farther from the beginning. */
  private fresh = false;

  constructor(private readonly parts: SearchParts) {
    super(parts);
    const { space, visited, row } = this;
    visited.add(row, space.layout.hash.row(row), -1, 0);
    const rule = space.brokenRule(row);
    if (rule !== undefined) this.violated(rule, 0, []);
  }

  run(): Searched {
    const { visited } = this;
    const { maxStates, throughViolations } = this.parts;
    this.levelEnd = visited.count;
    for (; this.at < visited.count; this.at++) {
      if (this.at === this.levelEnd) {
        if (this.found !== undefined && !throughViolations) break;
        this.depth += 1;
        this.levelEnd = visited.count;
      }
      if (visited.count > maxStates) break;
      if ((this.at & (PROGRESS_EVERY - 1)) === 0) this.report();
      this.visit();
    }
    return {
      states: visited.count,
      transitions: this.transitions,
      depth: this.depth,
      finalStates: this.finalStates,
      stuckStates: this.stuckStates,
      outcomes: this.outcomes,
      rules: this.rules,
      found: this.found,
      complete: this.at >= visited.count,
      deeper: this.deeper,
      bytesPerState: visited.bytesPerState,
    };
  }

  protected override stuck(rule: string): void {
    this.violated(rule, this.depth, this.visited.path(this.at));
  }

  protected override expand(enabled: readonly number[]): void {
    const chosen = this.partialOrder?.choose(this.possible, enabled);
    this.fresh = false;
    for (const mover of chosen ?? enabled) this.step(mover);
    if (chosen === undefined || this.fresh) return;
    for (const mover of enabled) if (!chosen.includes(mover)) this.step(mover);
  }

  private step(mover: number): void {
    const { row, visited, at, space, canonical, depth } = this;
    const { cells, numbers, before, hash, violation } = (this.possible[mover] as Possible).written;
    this.transitions += 1;
    for (let i = 0; i < cells.length; i++) row[cells[i] as number] = numbers[i] as number;
    if (violation !== undefined) this.violated(violation.rule, depth + 1, [...visited.path(at), mover]);
    const kept = canonical === undefined ? row : canonical.of(row);
    const state =
      canonical === undefined
        ? visited.add(kept, visited.hashOf(at) ^ hash, at, mover, cells)
        : visited.add(kept, space.layout.hash.row(kept), at, mover);
    if (state >= 0 || -1 - state >= this.levelEnd) this.fresh = true;
    if (state >= 0) {
      const rule = space.brokenRule(kept);
      if (rule !== undefined) this.violated(rule, depth + 1, visited.path(state));
    }
    for (let i = 0; i < cells.length; i++) row[cells[i] as number] = before[i] as number;
  }

  /** Keeps the shortest: a stuck state of a level is nearer than a step out of it. */
  private violated(rule: string, steps: number, movers: readonly number[]): void {
    this.rules.add(rule);
    if (this.found === undefined || steps < this.found.steps) this.found = { movers, steps };
  }

  private report(): void {
    const { visited, transitions, at, depth } = this;
    const { phase, onProgress } = this.parts;
    onProgress?.({ states: visited.count, transitions, frontier: visited.count - at, depth, phase });
  }
}
