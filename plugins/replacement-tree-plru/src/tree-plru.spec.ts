import { prngSeed } from '@tablewalk/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { treePlru } from './tree-plru.ts';

const prng = prngSeed(1);

/** The definition as objects: a tree whose nodes point to the half that was used longer ago. */
type Tree = { upperIsVictim: boolean; lower: Tree; upper: Tree } | undefined;
const tree = (ways: number): Tree =>
  ways === 1 ? undefined : { upperIsVictim: false, lower: tree(ways / 2), upper: tree(ways / 2) };
function access(node: Tree, ways: number, way: number): void {
  if (node === undefined) return;
  const inUpper = way >= ways / 2;
  node.upperIsVictim = !inUpper;
  access(inUpper ? node.upper : node.lower, ways / 2, inUpper ? way - ways / 2 : way);
}
const led = (node: Tree, ways: number): number =>
  node === undefined
    ? 0
    : node.upperIsVictim
      ? ways / 2 + led(node.upper, ways / 2)
      : led(node.lower, ways / 2);

describe('tree-plru', () => {
  it('four ways: the bits lead away from what was used', () => {
    const lane = new Int32Array(treePlru.words(4));
    const victims = [0, 2, 1, 3, 0].map((way) => {
      treePlru.touch(lane, 0, 4, way);
      return treePlru.victim(lane, 0, 4, prng, 0);
    });
    // 0: upper half, way 2. 2: lower half, whose bit points to 1. 1: upper half, whose bit points to 3. ...
    expect(victims).toEqual([2, 1, 3, 0, 2]);
  });

  it('refuses ways that are no power of two, and says why', () => {
    expect([1, 2, 4, 64].map((ways) => treePlru.refuses?.(ways))).toEqual(Array(4).fill(undefined));
    expect(treePlru.refuses?.(12)).toContain('12');
    expect(treePlru.refuses?.(0)).toContain('power of two');
  });

  it('agrees with a tree of objects, for 1 to 128 ways', () => {
    fc.assert(
      fc.property(fc.nat(7), fc.array(fc.nat(255), { maxLength: 200 }), (log, uses) => {
        const ways = 2 ** log;
        const base = 3;
        const lane = new Int32Array(base + treePlru.words(ways) + 1).fill(-77);
        treePlru.reset(lane, base, ways);
        const model = tree(ways);
        for (const use of uses) {
          const victim = treePlru.victim(lane, base, ways, prng, 0);
          expect(victim).toBe(led(model, ways));
          const way = use >= 128 ? victim : use % ways;
          treePlru.fill(lane, base, ways, way, 0);
          access(model, ways, way);
        }
        expect([lane[base - 1], lane.at(-1)]).toEqual([-77, -77]);
      }),
      { numRuns: 60 },
    );
  });
});
