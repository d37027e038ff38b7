import { prngBelow, prngSeed } from '@tablewalk/base';
import type { ExploreOptions } from '../result.ts';
import type { StateSpace } from '../state-space.ts';
import { sample } from './sampling.ts';
import type { Sampled } from './sampling.ts';

/** Any of what is enabled, each as likely as the other. */
export function random(space: StateSpace, options: ExploreOptions): Sampled {
  const { seed = 1 } = options;
  return sample(space, options, (schedule) => {
    const draws = prngSeed(seed, schedule);
    return (enabled) => enabled[prngBelow(draws, enabled.length)] as number;
  });
}
