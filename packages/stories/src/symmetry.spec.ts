import { describe, expect, it } from 'vitest';
import { permutations } from './alike.ts';
import { stories } from './catalogue.ts';
import { isSymmetry } from './naive-search.fixture.ts';
import type { ModelStory } from './story.ts';

/** Sizes at which every state can be asked, by story; a story that declares a symmetry needs one. */
const SIZES: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>> = {
  'kmap-dma': [
    { S: 2, L: 2, W: 2, R: 1 },
    { S: 2, L: 1, W: 2, R: 2 },
  ],
  'mmu-gather-protocol': [
    { P: 2, C: 3, B: 2, K: 2, A: 2 },
    { P: 1, C: 4, B: 1, K: 1, A: 1, PTFREE: 1 },
  ],
  'pkmap-protocol': [
    { N: 3, P: 2, S: 1, R: 1, HOLD: 1 },
    { N: 3, P: 3, S: 2, R: 1, HOLD: 1 },
    { N: 2, P: 2, S: 1, R: 2, HOLD: 1 },
    { N: 2, P: 4, S: 2, R: 1, HOLD: 2 },
  ],
  seqlock: [{ writers: 1, readers: 2 }],
  shoot6x2: [
    { cpus: 3, pages: 2 },
    { cpus: 2, pages: 3 },
  ],
  'ticket-lock': [{ tasks: 3, rounds: 1 }],
};

const models = stories.filter((story): story is ModelStory => story.kind === 'model');
const isAlike = (story: ModelStory): boolean =>
  Object.keys(story.variants).some(
    (variant) => (story.build(variant, story.knobs ?? {}).symmetries ?? []).length > 0,
  );

describe('what stories say is alike', () => {
  for (const story of models.filter(isAlike))
    it(`${story.id}: every state goes on as the one that it becomes`, () => {
      const wrong = Object.keys(story.variants).flatMap((variant) =>
        (SIZES[story.id] ?? [{}]).flatMap((size) => {
          const staged = story.build(variant, { ...story.knobs, ...size });
          return (staged.symmetries ?? [])
            .filter((symmetry) => !isSymmetry(staged, symmetry))
            .map(({ name }) => `${variant} ${JSON.stringify(size)}: ${name}`);
        }),
      );
      expect(wrong).toEqual([]);
    });

  it('is sized here for every story that says so', () => {
    expect(models.filter(isAlike).map(({ id }) => id)).toEqual(Object.keys(SIZES));
  });

  it('would be found out: CPUs that are sent to one after the other are not alike', () => {
    const shoot = models.find(({ id }) => id === 'shoot6x2') as ModelStory;
    const staged = shoot.build('repaired', { cpus: 3, pages: 1, last: 0 });
    const slices = { 'tlb[1]': 'tlb[2]', 'tlb[2]': 'tlb[1]', 'ipi[1]': 'ipi[2]', 'ipi[2]': 'ipi[1]' };
    expect(isSymmetry(staged, { name: 'CPUs 1 and 2', slices })).toBe(false);
  });

  it('pkmap: who shares a page changes places, and who has a page of its own takes it along', () => {
    const pkmap = models.find(({ id }) => id === 'pkmap-protocol') as ModelStory;
    const { symmetries = [] } = pkmap.build('repaired', { N: 4, P: 3, S: 2, R: 1, HOLD: 1 });
    const expected = ['tasks 0 and 1 and 2 and 3', 'tasks 0 and 3', 'tasks 1 and 2'];
    expect(symmetries.map(({ name }) => name).sort()).toEqual(expected);
  });
});

it('there are n! permutations', () => {
  const all = permutations(4);
  expect(all.length).toBe(24);
  expect(new Set(all.map((to) => to.join())).size).toBe(24);
});
