import { prngSeed } from '@tablewalk/base';
import { describe, expect, it } from 'vitest';
import { random } from './random.ts';

const draws = (seed: number, ways: number, count: number): number[] => {
  const prng = prngSeed(seed);
  return Array.from({ length: count }, () => random.victim(new Int32Array(0), 0, ways, prng, 0));
};

describe('random', () => {
  it('draws the same ways from the same seed, and others from another', () => {
    expect(draws(7, 8, 50)).toEqual(draws(7, 8, 50));
    expect(draws(7, 8, 50)).not.toEqual(draws(8, 8, 50));
  });

  it('gives every way nearly the same chance', () => {
    const counts = Array<number>(5).fill(0);
    for (const way of draws(1, 5, 50_000)) counts[way] = (counts[way] as number) + 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(450); // 5 standard deviations
  });

  it('keeps no lane', () => {
    expect(random.words(4)).toBe(0);
    expect(draws(3, 1, 10)).toEqual(Array(10).fill(0));
  });
});
