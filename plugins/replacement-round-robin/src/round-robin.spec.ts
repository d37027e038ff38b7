import { prngSeed } from '@tablewalk/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundRobin } from './round-robin.ts';

const prng = prngSeed(1);

describe('round-robin', () => {
  it('fills in order from way 0 and begins again', () => {
    const policy = roundRobin();
    const lane = new Int32Array(policy.words(3));
    const filled: number[] = [];
    for (let i = 0; i < 5; i++) {
      const way = policy.victim(lane, 0, 3, prng, 0);
      filled.push(way);
      policy.fill(lane, 0, 3, way, 0);
    }
    expect(filled).toEqual([0, 1, 2, 0, 1]);
    expect(policy.ownsInvalidWays).toBe(true);
  });

  it.each(['set', 'table'] as const)('pointer of the %s: agrees with counting the fills', (pointer) => {
    const policy = roundRobin({ pointer });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16 }),
        fc.array(fc.nat(3), { maxLength: 100 }),
        (ways, setsFilled) => {
          const words = policy.words(ways);
          const globals = 4 * words;
          const lane = new Int32Array(globals + (policy.globalWords ?? 0));
          for (let set = 0; set < 4; set++) policy.reset(lane, set * words, ways);
          const fills = [0, 0, 0, 0];
          setsFilled.forEach((set, i) => {
            const way = policy.victim(lane, set * words, ways, prng, globals);
            expect(way).toBe((pointer === 'set' ? (fills[set] as number) : i) % ways);
            policy.fill(lane, set * words, ways, way, globals);
            fills[set] = (fills[set] as number) + 1;
          });
        },
      ),
    );
  });
});
