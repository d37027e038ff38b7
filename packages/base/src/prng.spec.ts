import fc from 'fast-check';
import { expect, it } from 'vitest';
import { prngBelow, prngNext, prngSeed } from './prng.ts';

it('prngBelow is the whole part of the product, with and without floating point', () => {
  const bound = fc.oneof(fc.integer({ min: 1, max: 2 ** 21 }), fc.constantFrom(1, 2 ** 15, 2 ** 15 + 1));
  fc.assert(
    fc.property(fc.nat(), fc.array(bound, { minLength: 1, maxLength: 50 }), (seed, bounds) => {
      const [state, same] = [prngSeed(seed), prngSeed(seed)];
      for (const bound of bounds)
        expect(prngBelow(state, bound)).toBe(Math.floor((prngNext(same) / 2 ** 32) * bound));
    }),
    { numRuns: 1000 },
  );
});
