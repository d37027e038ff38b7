import type { Exploration } from '@tablewalk/explore';
import type { ModelStory, Variant } from '@tablewalk/stories';
import { expect, it } from 'vitest';
import type { Explored } from './exploration.ts';
import { comparisonJson, comparisonText, contradicts } from './variants.ts';

const explored = (declared: Variant, found: Partial<Exploration>, set = {}): Explored => ({
  choice: { story: { id: 's', variants: { v: declared } } as unknown as ModelStory, variant: 'v', set },
  setGiven: [],
  options: { seed: 1 },
  found: {
    ...{ strategy: 'exhaustive', verdict: 'holds', states: 1234, transitions: 0, depth: 0 },
    ...{ finalStates: 0, stuckStates: 0, rules: [] },
    ...found,
  },
  seconds: 0.5,
  history: undefined,
});
const violated = (rule: string): Partial<Exploration> => ({
  verdict: 'violated',
  violation: { checker: 'never', rule, schedule: [0, 1], witness: [], shortest: true },
});
const HOLDS: Variant = { verdict: 'holds', what: '' };
const LEAKS: Variant = { verdict: 'violated', what: '', rule: 'it leaks' };

it('a variant contradicts its story by its verdict, or by another rule', () => {
  expect(contradicts(explored(HOLDS, {}))).toBe(false);
  expect(contradicts(explored(LEAKS, violated('it leaks')))).toBe(false);
  expect(contradicts(explored(HOLDS, violated('it leaks')))).toBe(true);
  expect(contradicts(explored(LEAKS, {}))).toBe(true);
  expect(contradicts(explored(LEAKS, violated('it burns')))).toBe(true);
});

it('no verdict, and no world of the user, contradict anything', () => {
  expect(contradicts(explored(LEAKS, { verdict: 'unfinished' }))).toBe(false);
  expect(contradicts(explored(HOLDS, violated('it leaks'), { P: 9 }))).toBe(false);
});

it('a contradiction is told', () => {
  const wrong = explored(LEAKS, violated('it burns'));
  expect(comparisonText(wrong)).toMatch(
    /^v +violated in 2 steps +1,234 states +0\.50 s {2}it burns {2}BUT the story says: it leaks$/m,
  );
  expect(comparisonText(wrong)).toContain(
    '\n  reproduce: npx tablewalk explore s --variant v --schedule tw1:0.1:',
  );
  expect(comparisonJson('s', [wrong])).toMatchObject({
    agrees: false,
    variants: [{ contradiction: 'the story says: it leaks', declared: 'violated', rule: 'it burns' }],
  });
});
