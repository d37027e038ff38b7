import { describe, expect, it } from 'vitest';
import { countNaively } from './naive-search.fixture.ts';
import { peterson } from './peterson.ts';
import { seqlock } from './seqlock.ts';
import type { ModelStory } from './story.ts';
import { ticketLock } from './ticket-lock.ts';

/**
 * Stories whose tasks run programs. Small sizes, for which also the claims of their merges can be checked.
 */
const CLASSICS: readonly [
  ModelStory,
  Readonly<Record<string, number>>,
  Readonly<Record<string, number | null>>,
][] = [
  [peterson, { rounds: 2 }, { repaired: null, reordered: 8, 'no-turn': 2 }],
  [ticketLock, { tasks: 2, rounds: 2 }, { repaired: null, broken: 8 }],
  [seqlock, { writers: 1, readers: 2 }, { repaired: null, broken: 7 }],
];

for (const [story, knobs, shortest] of CLASSICS)
  describe(story.id, () => {
    for (const [variant, { verdict }] of Object.entries(story.variants))
      it(`${variant}: ${verdict}, and its merges change neither that nor the shortest counterexample`, () => {
        const merged = countNaively(story.build(variant, knobs));
        const plain = countNaively(story.build(variant, knobs), false);
        expect(merged).toMatchObject({ verdict, shortestCounterexample: shortest[variant] });
        expect(plain).toMatchObject({ verdict, shortestCounterexample: shortest[variant] });
        expect(merged.states).toBeLessThanOrEqual(plain.states);
      });
  });

describe('what is counted of programs', () => {
  it('the states of each classic, as it is', () => {
    const states = (story: ModelStory, knobs = story.knobs ?? {}) =>
      Object.keys(story.variants).map((variant) => countNaively(story.build(variant, knobs)).states);
    expect(states(peterson)).toEqual([146, 481, 85]);
    expect(states(ticketLock, { tasks: 3, rounds: 1 })).toEqual([128, 1423]);
    expect(states(seqlock, { writers: 2, readers: 1 })).toEqual([633, 597]);
  });

  it('a reader that nobody disturbs reads once: the pair before the writer, or after', () => {
    const counts = countNaively(seqlock.build('repaired', { writers: 1, readers: 1 }));
    expect(counts).toMatchObject({ finalStates: 2, stuckFinals: 0 });
  });
});
