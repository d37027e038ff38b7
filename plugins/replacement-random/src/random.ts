import { prngBelow } from '@tablewalk/base';
import type { ReplacementPolicy } from '@tablewalk/contracts';

/**
 * Random: any way of a full set, with equal chances. Belady, "A study of replacement algorithms for a
 * virtual-storage computer", IBM Systems Journal 5(2), 1966 (RAND); Dinero IV, policy `r`. The
 * numbers come from the run's seed, so counts agree with another simulator only statistically.
 */
export const random: ReplacementPolicy = {
  words: () => 0,
  ignoresHits: true,
  reset() {},
  touch() {},
  fill() {},
  victim: (_lane, _base, ways, prng) => prngBelow(prng, ways),
};
