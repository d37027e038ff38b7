import { describe, expect, it } from 'vitest';
import { mismatchedAttributes } from './mismatched-attributes.ts';
import { countNaively } from './naive-search.fixture.ts';
import { pteNoDsb } from './pte-no-dsb.ts';
import type { ModelStory } from './story.ts';

/** States through every violation, and steps to the nearest one, as the naive search counts them. */
const COUNTS: readonly [ModelStory, Readonly<Record<string, readonly [number, number | null]>>][] = [
  [
    pteNoDsb,
    {
      'no-dsb': [54, 4],
      dsb: [36, null],
      'no-clean': [42, 5],
      'removal-no-clean': [41, 13],
      'removal-no-dsb': [49, 15],
      'coherent-walker': [45, null],
      'coherent-no-dsb': [51, 3],
    },
  ],
  [
    mismatchedAttributes,
    {
      'coherent-alias': [42, 11],
      'coherent-remapped': [20, null],
      'coherent-flush-first': [30, 12],
      'coherent-past-caches': [38, null],
      'boot-non-shareable': [337, 5],
      'boot-not-snooped': [241, 6],
      'boot-shareable': [128, null],
      'ioremap-of-ram': [37, 3],
      'ioremap-refused': [5, null],
      'ioremap-stolen': [5, null],
    },
  ],
];

for (const [story, counts] of COUNTS)
  describe(story.id, () => {
    for (const [variant, { verdict }] of Object.entries(story.variants))
      it(`${variant}: ${verdict}`, () => {
        const found = countNaively(story.build(variant, {}));
        expect(found.verdict).toBe(verdict);
        expect([found.states, found.shortestCounterexample]).toEqual(counts[variant]);
        expect(found.stuckFinals).toBe(0);
      });
  });
