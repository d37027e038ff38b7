import { prngSeed } from '@tablewalk/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fifo } from './fifo.ts';

const prng = prngSeed(1);

describe('fifo', () => {
  it('replaces the way filled longest ago, whatever was hit since', () => {
    const lane = new Int32Array(fifo.words(3));
    fifo.reset(lane, 0, 3);
    for (const way of [2, 0, 1]) fifo.fill(lane, 0, 3, way, 0);
    fifo.touch(lane, 0, 3, 2);
    expect(fifo.victim(lane, 0, 3, prng, 0)).toBe(2);
    fifo.fill(lane, 0, 3, 2, 0);
    expect(fifo.victim(lane, 0, 3, prng, 0)).toBe(0);
  });

  it('agrees with fill times, when ways are invalidated and filled out of turn too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.array(fc.option(fc.nat(1000), { nil: undefined }), { maxLength: 150 }),
        (ways, fills) => {
          const base = 2;
          const lane = new Int32Array(base + fifo.words(ways) + 2).fill(-77);
          fifo.reset(lane, base, ways);
          const filledAt = Array.from({ length: ways }, (_, way) => way);
          fills.forEach((outOfTurn, i) => {
            const oldest = filledAt.indexOf(Math.min(...filledAt));
            expect(fifo.victim(lane, base, ways, prng, 0)).toBe(oldest);
            const way = outOfTurn === undefined ? oldest : outOfTurn % ways;
            fifo.fill(lane, base, ways, way, 0);
            filledAt[way] = ways + i;
          });
          expect([lane[0], lane[1], lane.at(-1), lane.at(-2)]).toEqual([-77, -77, -77, -77]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
