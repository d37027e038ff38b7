import { prngBelow, prngSeed } from '@tablewalk/base';
import type { Alternative } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { randomScheduler } from './random.ts';

const enabled: Alternative[] = [0, 1, 2].map((cpu) => ({ kind: 'step', cpu, time: 0 }));

describe('scheduler-random', () => {
  it('gives every alternative nearly the same chance', () => {
    const random = prngSeed(1);
    const turn = { lastCpu: 0, below: (bound: number) => prngBelow(random, bound) };
    const counts = [0, 0, 0];
    for (let i = 0; i < 9000; i++) {
      const chosen = randomScheduler(10).choose(enabled, turn) as number;
      counts[chosen] = (counts[chosen] ?? 0) + 1;
    }
    // Five standard deviations of a binomial with n = 9000, p = 1/3.
    for (const count of counts) expect(Math.abs(count - 3000)).toBeLessThan(224);
  });

  it('gives turns of 1 to so many references', () => {
    const budgets = (drawn: number): number =>
      randomScheduler(10).budget(enabled[0] as Alternative, enabled, {
        lastCpu: 0,
        below: (bound) => Math.min(drawn, bound - 1),
      });
    expect([budgets(0), budgets(99)]).toEqual([1, 10]);
  });
});
