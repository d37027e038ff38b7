import { present } from '@tablewalk/base';
import { stories, variantOf } from '@tablewalk/stories';
import type { Overrides, Story } from '@tablewalk/stories';
import { staged } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { mutate } from './index.ts';
import type { MutantVerdict } from './index.ts';

/**
 * Every single-step mutation of every story's first variant that holds: what nothing catches is explained in
 * the story's file, and nothing is explained there that is caught. What a rule catches, what an assertion
 * catches, and what survives is counted, so that a story that loses its sight is a failing test.
 */
const SMALLER: Readonly<Record<string, Overrides>> = { shoot6x2: { cpus: 3 } };

/** Caught by a rule and crashed together, and survived. */
const PINNED: Readonly<Record<string, readonly [caught: number, survived: number]>> = {
  'dma-speculation': [9, 8],
  'first-table-leak': [7, 26],
  'half-pair': [6, 8],
  'ioremap-sections-smp': [55, 56],
  'kmap-atomic-sleep': [19, 27],
  'kmap-dma': [13, 11],
  'kmap-high-get': [36, 42],
  'kunmap-atomic-pop': [6, 7],
  'lock-in-fault': [5, 20],
  'lpae-dying-pgd': [8, 12],
  'lpae-first-pmd-leak': [4, 5],
  'lpae-high-bits': [31, 25],
  'lpae-idmap': [9, 7],
  'lpae-shared-pmd': [5, 22],
  'mismatched-attributes': [14, 3],
  'mmu-gather-protocol': [4, 7],
  peterson: [14, 1],
  'pkmap-protocol': [43, 30],
  'pte-no-dsb': [16, 1],
  seqlock: [10, 4],
  shoot6x2: [10, 12],
  'ticket-lock': [6, 1],
  'unmap-free-race': [5, 19],
  'vmap-stack': [28, 39],
};

/** Of the stories on machines, those that explain their survivors already. */
const explained = stories.filter(({ kind, survivors }) => kind === 'model' || survivors !== undefined);

/** Without symmetries: an actor whose move is mutated is not like the others any more. */
function mutantsOf(story: Story): readonly MutantVerdict[] {
  const told = staged(story, variantOf(story, 'repaired'), SMALLER[story.id]);
  return mutate(told.restaged({ ...told.staged, symmetries: [] }));
}

describe.each(explained.map((story): [string, Story] => [story.id, story]))('%s', (id, story) => {
  const mutants = mutantsOf(story);
  const survived = mutants.filter(({ verdict }) => verdict === 'survived').map(({ name }) => name);
  const reasons = story.survivors ?? [];

  it('decides every mutant, and so many are caught and survive', () => {
    const caught = mutants.filter(({ verdict }) => verdict === 'caught' || verdict === 'crashed').length;
    expect([caught, survived.length]).toEqual(present(PINNED[id], `the counts of ${id}`));
    expect(mutants).toHaveLength(caught + survived.length);
  });

  it('explains every survivor', () => {
    expect(survived.filter((name) => !reasons.some(({ named }) => named.test(name)))).toEqual([]);
  });

  it('explains nothing that is caught', () => {
    const caught = mutants.filter(({ verdict }) => verdict !== 'survived').map(({ name }) => name);
    for (const { named } of reasons) {
      expect([named, survived.some((name) => named.test(name))]).toEqual([named, true]);
      expect([named, caught.filter((name) => named.test(name))]).toEqual([named, []]);
    }
  });
});
