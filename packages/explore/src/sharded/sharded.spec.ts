import { acknowledgeIpi, awaitIpis, issue, order, sendIpi } from '@tablewalk/contracts';
import type { KernelFactOf, Program, ProgramContext } from '@tablewalk/contracts';
import type { ModelStory, Story } from '@tablewalk/stories';
import { stories, storyOf, Variable, variantOf } from '@tablewalk/stories';
import { staged } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { explore } from '../index.ts';
import type { Exploration, ExploreOptions, Order } from '../index.ts';
import { claimed, lostUpdate, mostlyPrivate, small } from '../small-stories.fixture.ts';
import { exploreInShards } from './in-process.fixture.ts';

/** A search by shards counts what one search counts. */
const REDUCTIONS: readonly ExploreOptions[] = [false, true].flatMap((merges) =>
  [false, true].flatMap((partialOrder) =>
    [false, true].map((symmetry) => ({ merges, partialOrder, symmetry })),
  ),
);
const SHOOTDOWN = { cpus: 3, pages: 2 };

type Told = readonly [Story, string, Readonly<Record<string, number>>];

/** All but how many bytes a state takes, which is a matter of who keeps it. */
const counted = ({ bytesPerState: _, ...found }: Exploration): Omit<Exploration, 'bytesPerState'> => found;

function expectTheSame(
  [story, variant, knobs]: Told,
  options: ExploreOptions,
  shards: readonly number[] = [1, 2, 3],
): Exploration {
  const stage = () => staged(story, variant, knobs);
  const one = explore(stage(), options);
  for (const count of shards) {
    const many = exploreInShards(stage, options, { shards: count, batchWords: 200, seed: count });
    expect(counted(many)).toEqual(counted(one));
  }
  return one;
}

/** Two CPUs interrupt each other: handlers see different things, at different places of the tasks. */
function interrupted(): ModelStory {
  const [x, seen] = [new Variable('x', [0]), new Variable('seen', [0])];
  const look = function* ({ cpu, args: [id = 0] }: ProgramContext): Program {
    const before = yield* x.load();
    yield* order(acknowledgeIpi(id, cpu));
    yield* seen.swap((sum) => 2 * sum + before);
  };
  const sends = (target: number) =>
    function* ({ cpu }: ProgramContext): Program {
      const picked = (facts: readonly KernelFactOf<'IpiSent'>[]) => facts.map(({ id }) => id);
      const sent = yield* issue(sendIpi(cpu, target, 'story/look', []), picked);
      yield* x.store(1 + cpu);
      yield* awaitIpis(sent, 'the other looks');
    };
  return {
    ...small([x, seen], []),
    build: () => ({
      cpus: 2,
      components: [x.named, seen.named],
      programs: { 'story/look': look, 'story/from 0': sends(1), 'story/from 1': sends(0) },
      play: {
        scene: [],
        tasks: [0, 1].map((cpu) => ({ name: `task ${cpu}`, cpu, program: `story/from ${cpu}`, args: [] })),
      },
    }),
  };
}

const STORIES: readonly Told[] = [
  [storyOf('shoot6x2'), 'any-order', SHOOTDOWN],
  [storyOf('shoot6x2'), 'no-ipi', SHOOTDOWN],
  [storyOf('peterson'), 'reordered', {}],
  [storyOf('seqlock'), 'repaired', { writers: 1, readers: 2 }],
  [storyOf('ticket-lock'), 'repaired', { tasks: 3, rounds: 1 }],
  [mostlyPrivate(3), 'only', {}],
  [claimed('honest'), 'only', {}],
  [interrupted(), 'only', {}],
];

const named = STORIES.map((told): [string, Told] => [`${told[0].id} ${told[1]}`, told]);
describe.each(named)('%s', (_name, told) => {
  it.each(REDUCTIONS)('counts alike with %o', (reductions) => {
    expectTheSame(told, reductions);
    expectTheSame(told, { ...reductions, throughViolations: true }, [2]);
  });

  it.each([0, 1, 5])('no deeper than %i steps', (maxDepth) => {
    expectTheSame(told, { maxDepth });
  });
});

/** Small enough that shards in one thread come to an end. */
const KNOBS: Readonly<Record<string, Readonly<Record<string, number>>>> = { shoot6x2: SHOOTDOWN };

describe.each(stories.map((story): [string, Story] => [story.id, story]))('%s', (id, story) => {
  it.each(['broken', 'repaired'])('%s counts alike by two shards', (wanted) => {
    expectTheSame([story, variantOf(story, wanted), KNOBS[id] ?? {}], {}, [2]);
  });
});

describe('beyond its budget of states', () => {
  const story: Told = [storyOf('shoot6x2'), 'repaired', SHOOTDOWN];
  const shared = (shards: number, maxStates: number): Exploration =>
    exploreInShards(() => staged(...story), { maxStates }, { shards, batchWords: 200, seed: shards });
  const { states } = explore(staged(...story));

  it('ends a level, and counts the same whoever shares it', () => {
    const [one, two, three] = [1, 2, 3].map((shards) => counted(shared(shards, states - 20)));
    expect(one?.verdict).toBe('unfinished');
    expect([two, three]).toEqual([one, one]);
  });

  it('is where one search is', () => {
    for (const maxStates of [states - 1, states])
      expect(shared(2, maxStates).verdict).toBe(explore(staged(...story), { maxStates }).verdict);
  });
});

/** Two tasks that keep in step come to what no random walk finds. */
function inStep(rounds: number): ModelStory {
  const [steps, goal, beside] = ['steps', 'goal', 'beside'].map((name) => new Variable(name, [0])) as [
    Variable,
    Variable,
    Variable,
  ];
  const follower = {
    *program(): Program {
      for (let i = 1; i <= rounds; i++) if ((yield* steps.load()) !== i) return;
      yield* goal.store(1);
    },
  };
  const leader = {
    *program(): Program {
      for (let i = 1; i <= rounds; i++) yield* steps.store(i);
      if ((yield* goal.load()) === 1) yield* beside.store(2);
    },
  };
  return small([steps, goal, beside], [follower, leader]);
}

it('searches again with what was learnt, as one search does', () => {
  const orders: string[] = [];
  const stage = () => staged(inStep(12), 'only');
  const play = { shards: 2, batchWords: 200, seed: 1, onOrder: ({ kind }: Order) => orders.push(kind) };
  expect(counted(exploreInShards(stage, {}, play))).toEqual(counted(explore(stage(), {})));
  expect(orders.filter((kind) => kind === 'begin').length).toBeGreaterThan(1);
});

it('refuses what one search refuses', () => {
  const stage = () => staged(lostUpdate([]), 'only');
  expect(() => exploreInShards(stage, {}, { shards: 2, batchWords: 200, seed: 1 })).toThrow('TOUCHES_WRONG');
});
