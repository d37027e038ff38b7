import { prngSeed } from '@tablewalk/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitPlru } from './bit-plru.ts';

describe('bit-plru', () => {
  it('clears the other bits when the last one would be set', () => {
    const policy = bitPlru({ victim: 'lowest' });
    const lane = new Int32Array(policy.words(4));
    const victims = [0, 2, 1, 3, 0].map((way) => {
      policy.touch(lane, 0, 4, way);
      return policy.victim(lane, 0, 4, prngSeed(1), 0);
    });
    expect(victims).toEqual([1, 1, 3, 0, 1]); // way 3 sets the last bit: only its own stays
  });

  it('random: every clear way is drawn, no other', () => {
    const policy = bitPlru();
    const prng = prngSeed(5);
    const lane = new Int32Array(policy.words(6));
    for (const way of [1, 4]) policy.touch(lane, 0, 6, way);
    const drawn = new Set(Array.from({ length: 200 }, () => policy.victim(lane, 0, 6, prng, 0)));
    expect([...drawn].sort()).toEqual([0, 2, 3, 5]);
  });

  it.each(['lowest', 'random'] as const)('%s: agrees with a set of marked ways', (victim) => {
    const policy = bitPlru({ victim });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.array(fc.option(fc.nat(1000), { nil: undefined }), { maxLength: 200 }),
        (ways, uses) => {
          const prng = prngSeed(ways);
          const base = 2;
          const lane = new Int32Array(base + policy.words(ways) + 1).fill(-77);
          policy.reset(lane, base, ways);
          let marked = new Set<number>();
          for (const use of uses) {
            const clear = Array.from({ length: ways }, (_, way) => way).filter((way) => !marked.has(way));
            const chosen = policy.victim(lane, base, ways, prng, 0);
            if (ways === 1) expect(chosen).toBe(0);
            else expect(victim === 'lowest' ? [clear[0]] : clear).toContain(chosen);
            const way = use === undefined ? chosen : use % ways;
            policy.fill(lane, base, ways, way, 0);
            marked.add(way);
            if (marked.size === ways) marked = new Set([way]);
          }
          expect([lane[base - 1], lane.at(-1)]).toEqual([-77, -77]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
