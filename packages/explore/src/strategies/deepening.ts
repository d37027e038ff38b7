import type { Row } from '../cells.ts';
import type { ExploreOptions } from '../result.ts';
import type { Written } from '../scratch.ts';
import type { StateSpace } from '../state-space.ts';
import { Visited } from '../visited.ts';
import { Walk } from '../walk.ts';
import { MAX_STATES } from './exhaustive.ts';

export interface Deepened {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly complete: boolean;
  readonly found: { readonly rule: string; readonly movers: readonly number[] } | undefined;
}

/**
 * Iterative deepening (Korf, 1985): depth first, no deeper than 1, 2, 3, ... steps, so that the first violation is
 * a shortest. A state that was met at the same depth or nearer is not entered again in the same round.
 */
export function deepening(space: StateSpace, options: ExploreOptions): Deepened {
  const { maxDepth = Infinity, maxStates = MAX_STATES, onProgress } = options;
  let transitions = 0;
  const beginning = new Walk(space);
  if (beginning.end?.kind === 'violated')
    return {
      states: 1,
      transitions,
      depth: 0,
      complete: true,
      found: { rule: beginning.end.rule, movers: [] },
    };
  for (let limit = 1; ; limit++) {
    const round = new Round(space, limit, maxStates);
    const found = round.run();
    transitions += round.transitions;
    const states = round.states;
    onProgress?.({ states, transitions, frontier: 0, depth: limit, phase: 'searching' });
    if (found !== undefined) return { states, transitions, depth: limit, complete: true, found };
    if (!round.cut || limit >= maxDepth || states > maxStates)
      return { states, transitions, depth: limit, complete: !round.cut, found: undefined };
  }
}

/** One depth-first round. */
class Round {
  transitions = 0;
  /** Something lies deeper than the limit. */
  cut = false;
  private readonly row: Row;
  private readonly visited: Visited;
  private readonly nearest: number[] = [0];

  constructor(
    private readonly space: StateSpace,
    private readonly limit: number,
    private readonly maxStates: number,
  ) {
    this.row = Int32Array.from(space.initial);
    this.visited = new Visited(space.initial);
    this.visited.add(space.initial, space.layout.hash.row(space.initial), -1, 0);
  }

  get states(): number {
    return this.visited.count;
  }

  run(): Deepened['found'] {
    const { space, row } = this;
    const path: Frame[] = [{ enabled: enabledMovers(space, row), next: 0, mover: -1, written: undefined }];
    while (path.length > 0) {
      const top = path.at(-1) as Frame;
      const mover = top.enabled[top.next++];
      if (mover === undefined) {
        path.pop();
        if (top.written !== undefined) this.takeBack(top.written);
        continue;
      }
      const { written } = space.at(row, mover);
      this.transitions += 1;
      const { cells, numbers } = written;
      for (let i = 0; i < cells.length; i++) row[cells[i] as number] = numbers[i] as number;
      const enabled = enabledMovers(space, row);
      const stuck = space.onlyIdle(enabled) ? space.stuckRule(row) : undefined;
      const rule = written.violation?.rule ?? space.brokenRule(row) ?? stuck;
      if (rule !== undefined) return { rule, movers: [...path.slice(1).map((frame) => frame.mover), mover] };
      const depth = path.length;
      const entered = this.enter(row, enabled.length > 0 ? depth : -1);
      if (entered && enabled.length > 0 && depth < this.limit)
        path.push({ enabled, next: 0, mover, written });
      else this.takeBack(written);
    }
    this.cut ||= this.nearest.some((depth) => depth >= this.limit);
    return undefined;
  }

  private takeBack({ cells, before }: Written): void {
    for (let i = 0; i < cells.length; i++) this.row[cells[i] as number] = before[i] as number;
  }

  /** Is the state new, or nearer than it was? An end, of depth -1, is never entered again. */
  private enter(row: Row, depth: number): boolean {
    const state = this.visited.add(row, this.space.layout.hash.row(row), -1, 0);
    const known = state < 0 ? -1 - state : state;
    if (state < 0 && (this.nearest[known] as number) <= depth) return false;
    this.nearest[known] = depth;
    if (this.visited.count > this.maxStates) this.cut = true;
    return this.visited.count <= this.maxStates;
  }
}

interface Frame {
  readonly enabled: readonly number[];
  next: number;
  /** The step that led here. */
  readonly mover: number;
  readonly written: Written | undefined;
}

function enabledMovers(space: StateSpace, row: Row): number[] {
  const enabled: number[] = [];
  for (let mover = 0; mover < space.movers.length; mover++)
    if (space.at(row, mover).enabled) enabled.push(mover);
  return enabled;
}
