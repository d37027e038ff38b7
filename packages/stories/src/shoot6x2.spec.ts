import { describe, expect, it } from 'vitest';
import { countNaively } from './naive-search.fixture.ts';
import { shoot6x2 } from './shoot6x2.ts';

/**
 * 3 CPUs and 2 pages, counted by hand-written searches before this one. They count as TLC does, the initial
 * state as generated: one more than transitions. For 6 CPUs and 2 pages this search finds 195,981 and
 * 1,243,705, too.
 */
const SMALL = { cpus: 3, pages: 2, last: 0 };
const EXPECTED = [
  { variant: 'repaired', verdict: 'holds', shortestCounterexample: null, states: 867, generated: 3172 },
  { variant: 'no-ipi', verdict: 'violated', shortestCounterexample: 2, states: 144, generated: 865 },
  { variant: 'no-wait', verdict: 'violated', shortestCounterexample: 5, states: 1348, generated: 6488 },
  { variant: 'any-order', verdict: 'holds', shortestCounterexample: null, states: 1000, generated: 3732 },
];

describe('shoot6x2', () => {
  for (const expected of EXPECTED)
    it(`counts ${expected.variant} on 3 CPUs as other searches do`, () => {
      const counts = countNaively(shoot6x2.build(expected.variant, SMALL));
      const { verdict, shortestCounterexample, states, transitions } = counts;
      const { variant } = expected;
      const generated = transitions + 1;
      expect({ variant, verdict, shortestCounterexample, states, generated }).toEqual(expected);
    });

  it('never ends: an idle initiator can always map a page', () => {
    expect(countNaively(shoot6x2.build('repaired', SMALL)).finalStates).toBe(0);
  });

  it('remembers what each CPU used last if it is asked to, and nothing else changes', () => {
    const counts = countNaively(shoot6x2.build('repaired', { ...SMALL, last: 1 }));
    expect(counts).toMatchObject({ verdict: 'holds', finalStates: 0 });
    expect(counts.states).toBeGreaterThan(867);
  });
});
