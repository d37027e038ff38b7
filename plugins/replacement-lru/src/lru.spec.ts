import { prngSeed } from '@tablewalk/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LRU_CLOCK_MAX, lru } from './lru.ts';

const prng = prngSeed(1);
const ordered = (lane: Int32Array, ways: number): number[] => {
  const copy = lane.slice();
  const order: number[] = [];
  for (let i = 0; i < ways; i++) {
    const way = lru.victim(copy, 0, ways, prng, 0);
    order.push(way);
    copy[way] = LRU_CLOCK_MAX; // out of the game
  }
  return order;
};

describe('lru', () => {
  it('replaces the way whose last reference lies furthest back', () => {
    const lane = new Int32Array(lru.words(4));
    lru.reset(lane, 0, 4);
    for (const way of [0, 1, 2, 3]) lru.fill(lane, 0, 4, way, 0);
    lru.touch(lane, 0, 4, 0);
    lru.touch(lane, 0, 4, 2);
    expect(lru.victim(lane, 0, 4, prng, 0)).toBe(1);
    lru.fill(lane, 0, 4, 1, 0);
    expect(lru.victim(lane, 0, 4, prng, 0)).toBe(3);
  });

  it('touching the newest way changes nothing', () => {
    const lane = new Int32Array(lru.words(2));
    lru.fill(lane, 0, 2, 1, 0);
    const before = lane.slice();
    lru.touch(lane, 0, 2, 1);
    expect(lane).toEqual(before);
  });

  it('keeps the order when its clock is full', () => {
    const lane = Int32Array.of(7, LRU_CLOCK_MAX, 3, LRU_CLOCK_MAX - 1, LRU_CLOCK_MAX);
    lru.touch(lane, 0, 4, 0);
    expect(ordered(lane, 4)).toEqual([2, 3, 1, 0]);
    expect(lane[4]).toBe(5);
  });

  it('agrees with a list of ways by recency, also when the clock runs full', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.array(fc.tuple(fc.boolean(), fc.nat(1000)), { maxLength: 200 }),
        fc.constantFrom(0, LRU_CLOCK_MAX - 150, LRU_CLOCK_MAX - 3),
        (ways, operations, clock) => {
          const base = 5;
          const lane = new Int32Array(base + lru.words(ways) + 3).fill(-77);
          lru.reset(lane, base, ways);
          const list: number[] = [];
          for (let way = 0; way < ways; way++) {
            lru.fill(lane, base, ways, way, 0);
            list.push(way);
          }
          if (clock > 0) {
            for (let way = 0; way < ways; way++) lane[base + way] = clock - ways + 1 + way;
            lane[base + ways] = clock;
          }
          for (const [hit, number] of operations) {
            const way = hit ? number % ways : lru.victim(lane, base, ways, prng, 0);
            if (!hit) expect(way).toBe(list[0]);
            list.splice(list.indexOf(way), 1);
            list.push(way);
            if (hit) lru.touch(lane, base, ways, way);
            else lru.fill(lane, base, ways, way, 0);
          }
          expect(lru.victim(lane, base, ways, prng, 0)).toBe(list[0]);
          const around = [...lane.subarray(0, base), ...lane.subarray(base + lru.words(ways))];
          expect(around).toEqual(Array(base + 3).fill(-77));
        },
      ),
      { numRuns: 60 },
    );
  });
});
