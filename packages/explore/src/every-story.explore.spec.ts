import { stories } from '@tablewalk/stories';
import type { Story } from '@tablewalk/stories';
import { staged } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { PINNED } from './every-story.fixture.ts';
import { explore } from './index.ts';
import type { Exploration, ExploreOptions } from './index.ts';

/**
 * Every variant of every story to its verdict, with the number of states that were stored (lost coverage is a
 * failing test) and the length of the shortest witness. A story that is not in the table yet tells its row.
 */
const WITHOUT: ExploreOptions = { partialOrder: false, symmetry: false };

const variantsOf = (story: Story): [string, Story, string][] =>
  Object.keys(story.variants).map((variant) => [`${story.id} ${variant}`, story, variant]);

const summary = ({ verdict, states, violation }: Exploration): unknown => [
  verdict,
  states,
  violation?.schedule.length ?? 0,
];

describe.each(stories.flatMap(variantsOf))('%s', (name, story, variant) => {
  const { verdict, rule } = story.variants[variant] as { verdict: string; rule?: string };
  const plain = explore(staged(story, variant), WITHOUT);
  const reduced = explore(staged(story, variant));

  it('comes to the verdict that the story tells', () => {
    expect(reduced.verdict).toBe(verdict);
    expect(plain.verdict).toBe(verdict);
    if (rule !== undefined) expect(plain.rules).toContain(rule);
  });

  it('has so many states, and a shortest witness so long, with and without reductions', () => {
    expect([summary(plain), summary(reduced)]).toEqual(PINNED[name]);
    expect(plain.violation?.shortest ?? true).toBe(true);
  });

  it('ends in the same outcomes with and without reductions, where it holds', () => {
    if (verdict === 'holds') expect(reduced.outcomes).toEqual(plain.outcomes);
    else expect(reduced.violation?.schedule.length).toBe(plain.violation?.schedule.length);
  });
});
