import { prngBelow, prngSeed } from '@tablewalk/base';
import type { PrngState } from '@tablewalk/base';
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

/** Any of what is enabled, each as likely as the other. */
export function random(space: StateSpace, options: ExploreOptions): Sampled {
  const { seed = 1 } = options;
  return sample(space, options, (schedule) => {
    const draws = prngSeed(seed, schedule);
    return (enabled) => enabled[prngBelow(draws, enabled.length)] as number;
  });
}

/**
 * PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic guarantees of
 * finding bugs", ASPLOS 2010): every mover has a priority, the highest that is enabled moves; at d - 1 steps
 * drawn beforehand the one that moved falls below all others. It finds a bug of depth d among n movers and k
 * steps with a probability of at least 1 / (n k^(d-1)) a schedule. k is the longest schedule so far; the first
 * is a guess.
 */
export function pct(space: StateSpace, options: ExploreOptions): Sampled {
  const { seed = 1, pctDepth = 3 } = options;
  let longest = 64;
  return sample(space, options, (schedule) => {
    const draws = prngSeed(seed, schedule);
    const priorities = shuffled(space.movers.length, draws).map((priority) => priority + pctDepth);
    const changes = Array.from({ length: Math.max(0, pctDepth - 1) }, () => prngBelow(draws, longest));
    return (enabled, step) => {
      longest = Math.max(longest, step + 1);
      let best = highest(enabled, priorities);
      const change = changes.indexOf(step);
      if (change >= 0) {
        priorities[best] = change;
        best = highest(enabled, priorities);
      }
      return best;
    };
  });
}

function highest(enabled: readonly number[], priorities: readonly number[]): number {
  let best = enabled[0] as number;
  for (const mover of enabled) if ((priorities[mover] as number) > (priorities[best] as number)) best = mover;
  return best;
}

/** A permutation of [0, n) (Fisher and Yates). */
function shuffled(n: number, draws: PrngState): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = prngBelow(draws, i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}
