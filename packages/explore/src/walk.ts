import type { Row } from './cells.ts';
import type { StateSpace } from './state-space.ts';

/** How a walk ended, if it did. */
export type WalkEnd =
  | { readonly kind: 'violated'; readonly checker: string; readonly rule: string }
  /** Nothing is enabled, and that is an end. */
  | { readonly kind: 'ended' };

/** One schedule through a space of states, a step at a time. */
export class Walk {
  readonly row: Row;
  readonly movers: number[] = [];
  end: WalkEnd | undefined;
  private readonly enabledNow: number[] = [];

  constructor(private readonly space: StateSpace) {
    this.row = Int32Array.from(space.initial);
    this.look(undefined);
  }

  /** What may move now; empty at an end. Written over by the next step. */
  get enabled(): readonly number[] {
    return this.enabledNow;
  }

  /** Takes the step of a mover that is enabled. */
  take(mover: number): void {
    const { cells, numbers, violation } = this.space.at(this.row, mover).written;
    for (let i = 0; i < cells.length; i++) this.row[cells[i] as number] = numbers[i] as number;
    this.movers.push(mover);
    this.look(violation);
  }

  isEnabled(mover: number): boolean {
    return this.end === undefined && this.space.at(this.row, mover).enabled;
  }

  private look(violation: { readonly checker: string; readonly rule: string } | undefined): void {
    const { space, row, enabledNow } = this;
    enabledNow.length = 0;
    if (violation !== undefined) {
      this.end = { kind: 'violated', ...violation };
      return;
    }
    const broken = space.brokenRule(row);
    if (broken !== undefined) {
      this.end = { kind: 'violated', checker: 'never', rule: broken };
      return;
    }
    for (let mover = 0; mover < space.movers.length; mover++)
      if (space.at(row, mover).enabled) enabledNow.push(mover);
    if (!space.onlyIdle(enabledNow)) return;
    const stuck = space.stuckRule(row);
    if (stuck === undefined && enabledNow.length > 0) return;
    this.end = stuck === undefined ? { kind: 'ended' } : { kind: 'violated', checker: 'kernel', rule: stuck };
  }
}

/** Does this sequence of movers still violate a rule? Answers the part of it that does. */
export function violates(space: StateSpace, movers: readonly number[]): readonly number[] | undefined {
  const walk = new Walk(space);
  for (const mover of movers) {
    if (walk.end?.kind === 'violated') break;
    if (!walk.isEnabled(mover)) return undefined;
    walk.take(mover);
  }
  return walk.end?.kind === 'violated' ? [...walk.movers] : undefined;
}

/**
 * A schedule from which no run of steps can be left out without losing the violation (delta debugging: Zeller
 * and Hildebrandt, 2002). Not the shortest there is: that takes a search.
 */
export function minimised(space: StateSpace, movers: readonly number[]): readonly number[] {
  let best = movers;
  for (let length = Math.max(1, best.length >> 1); length >= 1;) {
    let shorter = false;
    for (let from = 0; from + length <= best.length;) {
      const rest = violates(space, [...best.slice(0, from), ...best.slice(from + length)]);
      if (rest === undefined) from += 1;
      else {
        best = rest;
        shorter = true;
      }
    }
    if (!shorter || length > best.length) length = length === 1 ? 0 : length >> 1;
  }
  return best;
}
