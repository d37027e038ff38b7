import { AccessKind, accessBatch, pushAccess } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CurveBuilder, MissCurve, StackDistances } from './index.ts';

/** The stack itself: a list, the last used first. */
class NaiveStack {
  private readonly keys: number[] = [];

  touch(key: number): number {
    const at = this.keys.indexOf(key);
    if (at >= 0) this.keys.splice(at, 1);
    this.keys.unshift(key);
    return at + 1;
  }
}

/** Some keys come back often, at all depths; some are far apart or agree in their low 32 bits. */
const key = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 0, max: 120 }),
  fc.integer({ min: 0, max: 40 }).map((n) => n * 2 ** 32 + 5),
  fc.integer({ min: 0, max: 2 ** 48 }),
);

describe('stack distances', () => {
  it('are those of a list, through every renumbering of times', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 900, size: 'max' }), (keys) => {
        const naive = new NaiveStack();
        const stack = new StackDistances();
        expect(keys.map((each) => stack.touch(each))).toEqual(keys.map((each) => naive.touch(each)));
        expect(stack.distinct).toBe(new Set(keys).size);
      }),
      { numRuns: 60 },
    );
  });

  it('of a loop are the length of the loop, however often it goes round', () => {
    const stack = new StackDistances();
    const loop = Array.from({ length: 300 }, (_, i) => i * 7);
    expect(new Set(loop.map((each) => stack.touch(each)))).toEqual(new Set([0]));
    for (let round = 0; round < 50; round++)
      expect(new Set(loop.map((each) => stack.touch(each)))).toEqual(new Set([300]));
  });
});

describe('a miss curve', () => {
  it('is worked out by hand: a b c a a b d', () => {
    const stack = new StackDistances();
    const depths = [0, 0, 0, 0];
    for (const each of [1, 2, 3, 1, 1, 2, 4]) {
      const depth = stack.touch(each);
      depths[depth] = (depths[depth] ?? 0) + 1;
    }
    // a b c are new, a at 3, a at 1, b at 3 (a, c above it), d is new.
    expect(depths).toEqual([4, 1, 0, 2]);
    const curve = new MissCurve(depths);
    expect([0, 1, 2, 3, 4, 100].map((entries) => curve.misses(entries))).toEqual([7, 6, 6, 4, 4, 4]);
    expect([curve.lookups, curve.cold, curve.enough]).toEqual([7, 4, 3]);
    expect(curve.missRatio(2)).toBe(6 / 7);
    expect(new MissCurve([]).missRatio(1)).toBe(0);
  });

  it('counts every unit that a reference touches, its own stream, and a modify once or twice', () => {
    const batch = accessBatch(8);
    pushAccess(batch, AccessKind.fetch, 0x1000, 4);
    pushAccess(batch, AccessKind.load, 0x1ffe, 4);
    pushAccess(batch, AccessKind.modify, 0x2000, 4);
    pushAccess(batch, AccessKind.store, 0x7_0000_1000, 8);
    const depths = (options: Partial<ConstructorParameters<typeof CurveBuilder>[0]>): readonly number[] => {
      const builder = new CurveBuilder({ unitShift: 12, ...options });
      builder.take(batch);
      return builder.curve().depths;
    };
    // Pages 1; 1, 2; 2; 0x70001.
    expect(depths({})).toEqual([3, 2]);
    expect(depths({ modifyIsTwo: true })).toEqual([3, 3]);
    expect(depths({ stream: 'instruction' })).toEqual([1]);
    expect(depths({ stream: 'data' })).toEqual([3, 1]);
  });

  it('with sets is the sum of the curves of the sets', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 1, max: 9 }),
        (pages, sets) => {
          const batch = accessBatch(pages.length);
          for (const page of pages) pushAccess(batch, AccessKind.load, page * 4096, 1);
          const builder = new CurveBuilder({ unitShift: 12, sets });
          builder.take(batch);
          const naive = Array.from({ length: sets }, () => new NaiveStack());
          const depths = pages.map((page) => (naive[page % sets] as NaiveStack).touch(page));
          const curve = builder.curve();
          for (let ways = 0; ways <= 12; ways++)
            expect(curve.misses(ways)).toBe(depths.filter((depth) => depth === 0 || depth > ways).length);
        },
      ),
    );
  });
});
