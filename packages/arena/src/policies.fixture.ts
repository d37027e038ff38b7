import { prngBelow } from '@tablewalk/base';
import type { ReplacementPolicy } from '@tablewalk/contracts';

/**
 * The three kinds of policy that engines treat differently: told of hits, not told of hits, choosing
 * among invalid ways as well. For tests of this package, which may not import plugins.
 */
const clocked = (ignoresHits: boolean): ReplacementPolicy => {
  const renew = (lane: Int32Array, base: number, ways: number, way: number): void => {
    if (lane[base + way] === lane[base + ways] && lane[base + ways] !== 0) return;
    lane[base + way] = lane[base + ways] = (lane[base + ways] as number) + 1;
  };
  return {
    words: (ways) => ways + 1,
    ignoresHits,
    reset() {},
    touch: ignoresHits ? () => undefined : renew,
    fill: renew,
    victim: (lane, base, ways) => {
      const times = [...lane.subarray(base, base + ways)];
      return times.indexOf(Math.min(...times));
    },
  };
};

export const testLru = clocked(false);
export const testFifo = clocked(true);
export const testRoundRobin: ReplacementPolicy = {
  words: () => 1,
  ignoresHits: true,
  ownsInvalidWays: true,
  reset() {},
  touch() {},
  fill(lane, base, ways, way) {
    lane[base] = (way + 1) % ways;
  },
  victim: (lane, base) => lane[base] as number,
};
export const testRandom: ReplacementPolicy = {
  words: () => 0,
  ignoresHits: true,
  reset() {},
  touch() {},
  fill() {},
  victim: (_lane, _base, ways, random) => prngBelow(random, ways),
};
