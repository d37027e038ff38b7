import type { ReplacementPolicy } from '@tablewalk/contracts';

/**
 * FIFO. Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
 * Journal 5(2), 1966: the way that was filled longest ago goes; hits change nothing.
 *
 * Lane of a set: its ways as a queue, the one filled longest ago first. A pointer would not do: after
 * an invalidation the engine fills the lowest invalid way, wherever it stands in the queue.
 */
export const fifo: ReplacementPolicy = {
  words: (ways) => ways,
  ignoresHits: true,
  reset(lane, base, ways) {
    for (let way = 0; way < ways; way++) lane[base + way] = way;
  },
  touch() {},
  fill(lane, base, ways, way) {
    const last = base + ways - 1;
    let at = base;
    while (at < last && lane[at] !== way) at += 1;
    lane.copyWithin(at, at + 1, last + 1);
    lane[last] = way;
  },
  victim: (lane, base) => lane[base] as number,
};
