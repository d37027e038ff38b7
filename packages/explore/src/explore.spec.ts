import { staged } from '@tablewalk/testkit';
import type { ModelStory } from '@tablewalk/stories';
import { storyOf } from '@tablewalk/stories';
import { describe, expect, it } from 'vitest';
import { explore } from './index.ts';
import type { Exploration, ExploreOptions } from './index.ts';
import { claimed, lostUpdate, mostlyPrivate, storeBuffering } from './small-stories.fixture.ts';

const peterson = storyOf('peterson');

const on = (story: ModelStory, options: ExploreOptions = {}): Exploration =>
  explore(staged(story, 'only'), { throughViolations: true, ...options });

/** Outcomes as lists of the variables' values, sorted. */
const outcomesOf = ({ outcomes = [] }: Exploration): number[][] =>
  outcomes
    .map((json) => (JSON.parse(json) as [string, unknown][]).map(([, value]) => value))
    .map((values) => values.filter((value) => Array.isArray(value)).map((value) => value[0] as number))
    .sort((a, b) => (String(a) < String(b) ? -1 : 1));

/** Every way to switch reductions on and off, with the one that reduces nothing first. */
const REDUCTIONS: readonly ExploreOptions[] = [false, true].flatMap((merges) =>
  [false, true].flatMap((partialOrder) =>
    [false, true].map((symmetry) => ({ merges, partialOrder, symmetry })),
  ),
);

describe('counted by hand', () => {
  it('a lost update: L L S S in six orders, twelve states, two outcomes', () => {
    // None moved; one loaded (2); both loaded; one done (2), beside one that loaded 0 (2) or 1 (2); x = 1; x = 2.
    const found = on(lostUpdate(), { partialOrder: false });
    expect(outcomesOf(found)).toEqual([[1], [2]]);
    expect(on(lostUpdate(), { strategy: 'reexecution' }).schedules).toBe(6);
    expect({ states: found.states, transitions: found.transitions }).toEqual({ states: 12, transitions: 14 });
  });

  it('store buffering: three outcomes of four are sequentially consistent', () => {
    const outcomes = outcomesOf(on(storeBuffering())).map(([, , r0, r1]) => [r0, r1]);
    outcomes.sort();
    expect(outcomes).toEqual([
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
  });
});

describe.each([
  ['a lost update', lostUpdate()],
  ['store buffering', storeBuffering()],
  ['mostly private steps', mostlyPrivate(3)],
  ['an honest claim', claimed('honest')],
])('%s', (_name, story) => {
  const judge = on(story, { strategy: 'reexecution' });

  it.each(REDUCTIONS)('has the outcomes of plain re-execution with %o', (reductions) => {
    const found = on(story, reductions);
    expect(found.outcomes).toEqual(judge.outcomes);
    expect(found.verdict).toBe(judge.verdict);
  });
});

describe('what is wrong is found by comparison with plain re-execution', () => {
  it('a claim that leaves out what still matters hides an outcome', () => {
    const judge = on(claimed('wrong'), { strategy: 'reexecution' });
    expect(outcomesOf(judge)).toEqual([
      [1, 0],
      [1, 1],
    ]);
    expect(on(claimed('wrong'), { merges: false }).outcomes).toEqual(judge.outcomes);
    expect(on(claimed('wrong')).outcomes).not.toEqual(judge.outcomes);
  });

  it('touches that leave out a variable hide an outcome, where nobody checks them', () => {
    const judge = on(lostUpdate([]), { strategy: 'reexecution' });
    expect(on(lostUpdate([]), { checkTouches: false }).outcomes).not.toEqual(judge.outcomes);
    expect(on(lostUpdate(['x']), { checkTouches: false }).outcomes).toEqual(judge.outcomes);
  });

  it('touches that leave out a variable are refused as soon as the variable is touched', () => {
    expect(() => on(lostUpdate([]))).toThrow(/TOUCHES_WRONG: task .* touched "x"/);
    expect(() => on(lostUpdate(['y']))).toThrow(/TOUCHES_WRONG: .*no such slice/);
    expect(on(lostUpdate(['x'])).verdict).toBe('holds');
  });
});

it('steps that touch nothing shared are taken in one order', () => {
  const [all, reduced] = [false, true].map((partialOrder) => on(mostlyPrivate(10), { partialOrder }));
  expect(all?.states).toBe(11 * 11 + 2 * 11 + 2);
  // 20 private steps in one order, then the two orders of the meeting.
  expect(reduced?.states).toBe(25);
});

describe('Peterson', () => {
  const rounds = { rounds: 1 };

  it.each(REDUCTIONS)('is right, and wrong when reordered, with %o', (reductions) => {
    const right = explore(staged(peterson, 'repaired', rounds), { ...reductions, throughViolations: true });
    const judge = explore(staged(peterson, 'repaired', rounds), { strategy: 'reexecution' });
    expect(right.verdict).toBe('holds');
    expect(right.outcomes).toEqual(judge.outcomes);
    const wrong = explore(staged(peterson, 'reordered', rounds), reductions);
    expect(wrong.violation?.rule).toBe('two tasks are in the critical section');
    expect(wrong.violation?.schedule.length).toBe(8);
    expect(wrong.violation?.shortest).toBe(true);
  });

  it.each(['random', 'pct', 'deepening', 'reexecution'] as const)('is found wrong by %s', (strategy) => {
    const { violation } = explore(staged(peterson, 'reordered', rounds), { strategy });
    expect(violation?.rule).toBe('two tasks are in the critical section');
    expect(violation?.schedule.length).toBeGreaterThanOrEqual(8);
    const again = explore(staged(peterson, 'reordered', rounds), { schedule: violation?.schedule ?? [] });
    expect(again.verdict).toBe('violated');
    expect(again.violation?.witness).toEqual(violation?.witness);
  });

  it('holds nowhere that was not looked at', () => {
    const looks: ExploreOptions[] = [
      { strategy: 'random' },
      { strategy: 'pct' },
      { maxStates: 5 },
      { maxDepth: 3 },
      { strategy: 'deepening', maxDepth: 3 },
      { strategy: 'reexecution', maxSchedules: 3 },
      { schedule: [0, 0, 0] },
    ];
    for (const options of looks) {
      const { verdict, unfinished } = explore(staged(peterson, 'repaired', rounds), options);
      expect({ verdict, said: unfinished !== undefined }).toEqual({ verdict: 'unfinished', said: true });
    }
  });

  it('is explored alike every time', () => {
    const look = (): Exploration => explore(staged(peterson, 'repaired'), { seed: 3, strategy: 'random' });
    expect(look()).toEqual(look());
  });
});
