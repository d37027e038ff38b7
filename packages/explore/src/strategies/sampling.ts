import { Coverage } from '../coverage.ts';
import type { ExploreOptions } from '../result.ts';
import type { StateSpace } from '../state-space.ts';
import { Walk } from '../walk.ts';

/** What a strategy that runs schedules, one after the other, has to show. */
export interface Sampled {
  readonly schedules: number;
  /** Distinct states, steps taken, and steps of the longest schedule. */
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Schedules that were cut off at the depth limit. */
  readonly cut: number;
  readonly found: { readonly rule: string; readonly movers: readonly number[] } | undefined;
}

export const MAX_SCHEDULES = 10_000;
export const MAX_DEPTH = 10_000;

/** Chooses the next mover of a schedule; made anew for each. */
export type Chooser = (enabled: readonly number[], step: number) => number;

/** Runs schedules until one violates a rule, or there have been enough. */
export function sample(
  space: StateSpace,
  { maxSchedules = MAX_SCHEDULES, maxDepth = MAX_DEPTH, onProgress }: ExploreOptions,
  chooserOf: (schedule: number) => Chooser,
): Sampled {
  const coverage = new Coverage(space);
  let depth = 0;
  let cut = 0;
  for (let schedule = 0; schedule < maxSchedules; schedule++) {
    const choose = chooserOf(schedule);
    const walk = new Walk(space);
    coverage.begin(walk.row);
    while (walk.end === undefined && walk.movers.length < maxDepth) {
      walk.take(choose(walk.enabled, walk.movers.length));
      coverage.see(walk.row);
    }
    depth = Math.max(depth, walk.movers.length);
    if (walk.end === undefined) cut += 1;
    const { states, steps: transitions } = coverage;
    if (walk.end?.kind === 'violated')
      return {
        schedules: schedule + 1,
        states,
        transitions,
        depth,
        cut,
        found: { rule: walk.end.rule, movers: walk.movers },
      };
    if ((schedule & 63) === 0) onProgress?.({ states, transitions, frontier: 0, depth, phase: 'searching' });
  }
  const { states, steps: transitions } = coverage;
  return { schedules: maxSchedules, states, transitions, depth, cut, found: undefined };
}
