import { prngBelow, prngSeed } from '@tablewalk/base';
import type { PrngState } from '@tablewalk/base';
import type { ExploreOptions } from '../result.ts';
import type { StateSpace } from '../state-space.ts';
import { sample } from './sampling.ts';
import type { Sampled } from './sampling.ts';

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
