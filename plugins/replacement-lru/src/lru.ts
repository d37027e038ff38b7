import type { ReplacementPolicy } from '@tablewalk/contracts';

/**
 * LRU. Mattson, Gecsei, Slutz, Traiger, "Evaluation techniques for storage hierarchies", IBM Systems
 * Journal 9(2), 1970, section "Stack algorithms": the way whose last reference lies furthest back
 * goes. Every reference renews a way: hit or miss, read or write.
 *
 * Lane of a set: the time of the last reference of each way, then the set's clock, which counts
 * references that changed the order. 1. The newest way's time equals the clock (asserted by tests).
 */
export const lru: ReplacementPolicy = {
  stack: true,
  words: (ways) => ways + 1,
  reset(lane, base, ways) {
    lane.fill(0, base, base + ways + 1);
  },
  touch: renew,
  fill: renew,
  victim(lane, base, ways) {
    let oldest = 0;
    for (let way = 1; way < ways; way++)
      if ((lane[base + way] as number) < (lane[base + oldest] as number)) oldest = way;
    return oldest;
  },
};

/** The largest value of the clock: times must stay ordered as signed 32-bit integers. */
export const LRU_CLOCK_MAX = 2 ** 31 - 1;

function renew(lane: Int32Array, base: number, ways: number, way: number): void {
  const clock = lane[base + ways] as number;
  if (clock !== 0 && lane[base + way] === clock) return; // already the newest
  const now = clock < LRU_CLOCK_MAX ? clock + 1 : renumber(lane, base, ways) + 1;
  lane[base + way] = now;
  lane[base + ways] = now;
}

/** Replaces the times by their ranks 1 to `ways`; the order stays. Answers the clock that fits them. */
function renumber(lane: Int32Array, base: number, ways: number): number {
  const times = Array.from(lane.subarray(base, base + ways));
  const order = times.map((_, way) => way);
  order.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  order.forEach((way, rank) => {
    lane[base + way] = rank + 1;
  });
  return ways;
}
