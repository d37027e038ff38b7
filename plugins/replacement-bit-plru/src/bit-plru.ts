import type { PrngState } from '@tablewalk/base';
import { prngBelow } from '@tablewalk/base';
import type { ReplacementPolicy } from '@tablewalk/contracts';

export interface BitPlruKnobs {
  /** Which clear way goes: a random one (default; DynamoRIO drcachesim) or the lowest (the paper). */
  readonly victim?: 'random' | 'lowest';
}

/**
 * Bit pseudo-LRU. Al-Zoubi, Milenkovic, Milenkovic, "Performance evaluation of cache replacement
 * policies for the SPEC CPU2000 benchmark suite", ACM Southeast 2004, policy PLRUm: one MRU bit a way,
 * set at access; when all are set the others are cleared. The victim is a way whose bit is clear: the
 * lowest in the paper, a random one in DynamoRIO drcachesim (simulator/policy_bit_plru.cpp).
 *
 * Lane of a set: the bits, way w in bit w mod 32 of word w / 32, then the number of bits set.
 * 1. With two ways or more, at least one bit is clear. (One way: its bit stays set and it is the victim.)
 */
export function bitPlru(knobs: BitPlruKnobs = {}): ReplacementPolicy {
  return knobs.victim === 'lowest' ? lowestClear : randomClear;
}

const shared = {
  words: (ways: number) => Math.ceil(ways / 32) + 1,
  reset(lane: Int32Array, base: number, ways: number): void {
    lane.fill(0, base, base + Math.ceil(ways / 32) + 1);
  },
  touch: mark,
  fill: mark,
};

const lowestClear: ReplacementPolicy = {
  ...shared,
  victim: (lane, base, ways) => clearWay(lane, base, ways, 0),
};

const randomClear: ReplacementPolicy = {
  ...shared,
  victim(lane: Int32Array, base: number, ways: number, random: PrngState): number {
    const clear = ways - (lane[base + Math.ceil(ways / 32)] as number);
    return clearWay(lane, base, ways, clear === 0 ? 0 : prngBelow(random, clear));
  },
};

function mark(lane: Int32Array, base: number, ways: number, way: number): void {
  const count = base + Math.ceil(ways / 32);
  const word = base + (way >>> 5);
  const bit = 1 << (way & 31);
  if (((lane[word] as number) & bit) !== 0) return;
  if ((lane[count] as number) + 1 === ways) {
    lane.fill(0, base, count); // all set: clear the others
    lane[count] = 0;
  }
  lane[word] = (lane[word] as number) | bit;
  lane[count] = (lane[count] as number) + 1;
}

/** The clear way with `rank` clear ways below it; way 0 when none is clear. */
function clearWay(lane: Int32Array, base: number, ways: number, rank: number): number {
  let below = 0;
  for (let way = 0; way < ways; way++) {
    if ((((lane[base + (way >>> 5)] as number) >>> (way & 31)) & 1) !== 0) continue;
    if (below === rank) return way;
    below += 1;
  }
  return 0;
}
