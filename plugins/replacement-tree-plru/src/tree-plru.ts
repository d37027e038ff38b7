import type { ReplacementPolicy } from '@tablewalk/contracts';

/**
 * Tree pseudo-LRU. Al-Zoubi, Milenkovic, Milenkovic, "Performance evaluation of cache replacement
 * policies for the SPEC CPU2000 benchmark suite", ACM Southeast 2004, policy PLRUt: a binary tree over
 * the ways, one bit a node. An access, hit or fill, sets every bit on its path to point to the other
 * half; the victim is where the bits lead. Bit 1: the victim is in the upper half. All start at 0.
 *
 * Lane of a set: the bits of nodes 1 to ways - 1, numbered as a heap (children 2n and 2n + 1), node n
 * in bit n mod 32 of word n / 32.
 */
export const treePlru: ReplacementPolicy = {
  words: (ways) => Math.ceil(ways / 32),
  refuses: (ways) =>
    ways >= 1 && Math.log2(ways) % 1 === 0
      ? undefined
      : `a tree over halves needs a power of two of ways, and ${ways} is none`,
  reset(lane, base, ways) {
    lane.fill(0, base, base + Math.ceil(ways / 32));
  },
  touch: pointAway,
  fill: pointAway,
  victim(lane, base, ways) {
    let node = 1;
    let way = 0;
    for (let half = ways >>> 1; half > 0; half >>>= 1) {
      const upper = ((lane[base + (node >>> 5)] as number) >>> (node & 31)) & 1;
      if (upper === 1) way += half;
      node = 2 * node + upper;
    }
    return way;
  },
};

function pointAway(lane: Int32Array, base: number, ways: number, way: number): void {
  let node = 1;
  for (let half = ways >>> 1; half > 0; half >>>= 1) {
    const word = base + (node >>> 5);
    const bit = 1 << (node & 31);
    const inUpper = (way & half) !== 0;
    lane[word] = inUpper ? (lane[word] as number) & ~bit : (lane[word] as number) | bit;
    node = 2 * node + (inUpper ? 1 : 0);
  }
}
