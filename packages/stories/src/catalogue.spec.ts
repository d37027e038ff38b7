import { ConfigError } from '@tablewalk/base';
import { describe, expect, it } from 'vitest';
import { stories, storyOf, variantOf } from './catalogue.ts';

const reportOf = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    if (error instanceof ConfigError) return { code: error.code, ...error.report };
    throw error;
  }
  return undefined;
};

describe('the catalogue', () => {
  it('lists each story once, sorted, under a dashed name', () => {
    const ids = stories.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    for (const id of ids) expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  for (const story of stories) {
    it(`${story.id} has a variant that is violated, by a rule, and one that holds`, () => {
      const variants = Object.values(story.variants);
      expect(new Set(variants.map(({ verdict }) => verdict))).toEqual(new Set(['violated', 'holds']));
      for (const { verdict, rule } of variants) expect(rule !== undefined).toBe(verdict === 'violated');
    });

    if (story.kind === 'model')
      it(`${story.id} is built in every variant, each variable once`, () => {
        for (const variant in story.variants) {
          const names = story.build(variant, story.knobs ?? {}).components.map(({ name }) => name);
          expect(new Set(names).size).toBe(names.length);
        }
      });
  }
});

describe('names', () => {
  it('a variant by its name, or as the first that is violated or holds', () => {
    const shoot = storyOf('shoot6x2');
    const names = ['repaired', 'broken', 'any-order'];
    expect(names.map((name) => variantOf(shoot, name))).toEqual(['repaired', 'no-ipi', 'any-order']);
  });

  it('an unknown story or variant is refused with the nearest name', () => {
    expect(reportOf(() => storyOf('shoot6x3'))).toMatchObject({
      code: 'STORY_UNKNOWN',
      what: 'there is no story "shoot6x3"',
      fix: 'did you mean "shoot6x2"?',
    });
    expect(reportOf(() => variantOf(storyOf('shoot6x2'), 'no-iip'))).toEqual({
      code: 'STORY_VARIANT_UNKNOWN',
      what: 'story "shoot6x2" has no variant "no-iip"',
      why: 'its variants are: repaired, no-ipi, no-wait, any-order',
      fix: 'did you mean "no-ipi"?',
    });
    expect(reportOf(() => variantOf(storyOf('shoot6x2'), 'toString'))?.code).toBe('STORY_VARIANT_UNKNOWN');
  });
});
