import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeSchedule } from '@tablewalk/explore';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from './install.ts';
import type { ExplorationJson } from './report/exploration.ts';
import type { ComparisonJson } from './report/variants.ts';
import { tablewalk, tablewalkHere } from './testing/tablewalk.ts';

/** Exploring on the command line: verdicts and exit codes, witnesses, the way back from what was printed. */
const folder = mkdtempSync(join(tmpdir(), 'tablewalk-explore-'));
const file = (name: string): string => join(folder, name);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const explored = async (...args: string[]): Promise<ExplorationJson & { readonly status: number | null }> => {
  const { status, stdout } = await tablewalkHere('explore', ...args, '--json');
  return { ...(JSON.parse(stdout) as ExplorationJson), status };
};
/** Of a command as it was printed, the words after `npx tablewalk explore`. */
const wordsOf = (command = ''): string[] => command.split(' ').slice(3);

const SHORTEST_OF_ONE_LINE = 5;

describe('a story that is violated', () => {
  it('ends with 1, and gives verdict, counts and witness as JSON', async () => {
    const { status, ...found } = await explored('kmap-dma', '--variant', 'broken');
    expect(status).toBe(1);
    expect(found).toMatchObject({
      story: 'kmap-dma',
      variant: 'broken',
      strategy: 'exhaustive',
      verdict: 'violated',
      checker: 'never',
      rule: 'a dirty line of another page is thrown away',
      shortest: true,
      seed: 1,
    });
    for (const count of ['states', 'transitions', 'seconds'] as const)
      expect(found[count]).toBeGreaterThan(0);
    expect(found.witness).toHaveLength(5);
    expect(found.witness.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    expect(found.witness.at(-1)?.violation?.fact).toMatchObject({
      type: 'PropertyViolated',
      rule: found.rule,
    });
  });

  it('is drawn as actors by time, with the reason and the command that plays it again', async () => {
    const { status, stdout, stderr } = tablewalk('explore', 'kmap-dma');
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/^ {3}step {2}DMA +writer 0 +writer 1 +what changed$/m);
    expect(stdout.match(/^>> +5 .*$/gm)).toHaveLength(1);
    expect(stdout).toMatch(/^why: step 5 \(DMA: .*breaks what the story says must never be/m);
    expect(stdout).toContain('a schedule of 5 steps shows it, and none is shorter');
    const drawn = stdout.split('\n').filter((line) => !line.startsWith('reproduce'));
    expect(Math.max(...drawn.slice(0, -2).map((line) => line.length))).toBeLessThanOrEqual(120);
    const command = /^reproduce: (npx tablewalk explore .*)$/m.exec(stdout)?.[1];
    expect(tablewalk('explore', ...wordsOf(command)).status).toBe(1);
  });

  it('is found again by the printed command alone, overrides and all', async () => {
    const first = await explored('kmap-dma', '--set', 'L=1', '--set', 'W=1', '--set', 'R=2');
    expect(first.witness).toHaveLength(7);
    const again = await explored(...wordsOf(first.reproduce));
    expect(again).toMatchObject({ status: 1, strategy: 'scripted', set: { L: 1, W: 1, R: 2 } });
    expect(again.witness).toEqual(first.witness);
    expect(again.schedule).toBe(first.schedule);
  });

  it('is found by every strategy, without a longer witness where that is promised', async () => {
    for (const strategy of ['random', 'pct', 'deepening', 'reexecution']) {
      const found = await explored('kmap-dma', '--set', 'L=1', '--strategy', strategy, '--seed', '3');
      expect([strategy, found.status, found.strategy, found.seed]).toEqual([strategy, 1, strategy, 3]);
      expect(found.witness.length).toBeGreaterThanOrEqual(SHORTEST_OF_ONE_LINE);
      if (found.shortest === true) expect(found.witness).toHaveLength(SHORTEST_OF_ONE_LINE);
    }
  });
});

describe('a story that is not violated', () => {
  it('holds, with 0, when everything was searched', async () => {
    const { status, ...found } = await explored('kmap-dma', '--variant', 'repaired');
    expect([status, found.verdict, found.checker, found.witness]).toEqual([0, 'holds', null, []]);
    expect((await tablewalkHere('explore', 'kmap-dma', '--variant', 'repaired')).stdout).toContain(
      'sequentially consistent',
    );
  });

  it('is unfinished, with 4 and what was covered, when the budget is used up', async () => {
    const { status, ...found } = await explored('kmap-dma', '--variant', 'repaired', '--max-states', '20');
    expect([status, found.verdict]).toEqual([4, 'unfinished']);
    expect(found.unfinished).toMatch(/schedules? of up to \d+ steps/);
    const { stdout } = await tablewalkHere(
      'explore',
      'kmap-dma',
      '--variant',
      'repaired',
      '--max-states',
      '20',
    );
    expect(stdout).toContain('UNFINISHED');
    expect(stdout).not.toContain('HOLDS');
    expect((await explored('kmap-dma', '--variant', 'repaired', '--strategy', 'random')).status).toBe(4);
  });

  it('counts without reductions what SPIN counts', async () => {
    const none = ['--no-merges', '--no-partial-order', '--no-symmetry'];
    const found = await explored('kmap-dma', '--variant', 'repaired', ...none);
    expect([found.states, found.transitions, found.reductions]).toEqual([197, 348, []]);
    const past = await explored('kmap-dma', '--through-violations', ...none);
    expect([past.states, past.transitions, past.status]).toEqual([244, 511, 1]);
  });
});

describe('variants', () => {
  it('"broken" and "repaired" mean the first that is violated, or holds', async () => {
    expect((await explored('shoot6x2', '--set', 'cpus=3')).variant).toBe('no-ipi');
    expect((await explored('pkmap-protocol', '--variant', 'broken', '--max-states', '9')).variant).toBe(
      'bug-1',
    );
  });

  it('"all" holds each against what the story says', async () => {
    const { status, stdout } = await tablewalkHere('explore', 'kmap-dma', '--variant', 'all', '--json');
    const { agrees, variants } = JSON.parse(stdout) as ComparisonJson;
    expect([status, agrees]).toEqual([0, true]);
    expect(variants.map(({ variant, verdict }) => [variant, verdict])).toEqual([
      ['repaired', 'holds'],
      ['broken', 'violated'],
    ]);
    expect(
      (await tablewalkHere('explore', 'kmap-dma', '--variant', 'all', '--max-states', '20')).status,
    ).toBe(4);
  });
});

describe('a witness as a history', () => {
  it('replays to any fact, is decided again, and is the same from its schedule', async () => {
    const { schedule = '', history } = await explored('kmap-dma', '--record', file('a.mcap'));
    expect(history).toBe(file('a.mcap'));
    const replayed = await tablewalkHere('replay', file('a.mcap'), '--at', '5');
    expect(replayed.status).toBe(0);
    expect(replayed.stdout).toContain('story kmap-dma, variant broken');
    expect(replayed.stdout).toMatch(/^dma +\[/m);
    expect((await tablewalkHere('rerun', file('a.mcap'))).status).toBe(0);
    await explored('kmap-dma', '--schedule', schedule, '--record', file('b.mcap'));
    expect((await tablewalkHere('diff', file('a.mcap'), file('b.mcap'))).status).toBe(0);
    expect((await tablewalkHere('branch', file('a.mcap'), '--at', '3')).stderr).toContain('BRANCH_OF_STORY');
  });

  it('remembers the overrides of its story', async () => {
    await explored('kmap-dma', '--set', 'L=1', '--set', 'R=2', '--record', file('c.mcap'));
    const { stdout, status } = await tablewalkHere('replay', file('c.mcap'), '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      story: { id: 'kmap-dma', variant: 'broken', set: { L: 1, R: 2 } },
    });
    expect((await tablewalkHere('rerun', file('c.mcap'))).status).toBe(0);
  });

  it('is not written when there is none, and says so', async () => {
    const { status, stderr } = await tablewalkHere(
      'explore',
      'kmap-dma',
      '--variant',
      'repaired',
      '--record',
      file('d.mcap'),
    );
    expect([status, stderr]).toEqual([0, `nothing is recorded in ${file('d.mcap')}: there is no witness\n`]);
    const bad = await tablewalkHere(
      'explore',
      'kmap-dma',
      '--record',
      join(folder, 'no', 'such', 'folder.mcap'),
    );
    expect(bad.stderr).toContain('HISTORY_UNWRITABLE');
  });
});

describe('a story on a machine', () => {
  it('is drawn with the step that caused it, and recorded with its machine', async () => {
    const { stdout } = await tablewalkHere('explore', 'kmap-high-get', '--record', file('m.mcap'));
    expect(stdout).toMatch(/^ +CPU 0 +CPU 0/m);
    expect(stdout).toMatch(/^ \* +\d+ .*kmap slot mapped/m);
    expect(stdout).toMatch(/^ +its cause is step \d+ \(.*\): fact/m);
    const replayed = await tablewalkHere('replay', file('m.mcap'), '--at', '40');
    expect(replayed.stdout).toContain('story kmap-high-get, variant broken');
    expect(replayed.stdout).toMatch(/^kmap +\{"counts":/m);
    expect((await tablewalkHere('rerun', file('m.mcap'))).status).toBe(0);
  });

  it('takes another policy by --set, in its schedule and its history too', async () => {
    const pinned = ['kmap-high-get', '--set', 'slots.kmap=kmap-pkmap-pinned'];
    expect((await explored(...pinned)).verdict).toBe('holds');
    const set = ['--set', 'slots.kmap.slots=2', '--set', 'memory.ram=64MiB'];
    const first = await explored('kmap-high-get', ...set, '--record', file('n.mcap'));
    expect(first.reproduce).toContain('--set slots.kmap.slots=2 --set memory.ram=64MiB --schedule');
    expect((await explored(...wordsOf(first.reproduce))).witness).toEqual(first.witness);
    expect((await tablewalkHere('rerun', file('n.mcap'))).status).toBe(0);
  });

  it('refuses what its machine cannot be, before anything is printed', async () => {
    const refused = async (set: string): Promise<unknown> => {
      const { status, stdout, stderr } = await tablewalkHere('explore', 'kmap-high-get', '--set', set);
      return [status, stdout, stderr.split(':')[0]];
    };
    expect(await refused('slots.kmap=kmap-pkmp')).toEqual([2, '', 'PLUGIN_UNKNOWN']);
    expect(await refused('cpus=2')).toEqual([2, '', 'PLUGIN_REFUSES']);
    expect(await refused('slot.kmap=x')).toEqual([2, '', 'SET_UNKNOWN_PATH']);
  });

  it('is shown with its machine and the freedom of the hardware', async () => {
    const { stdout } = await tablewalkHere('stories', 'show', 'kmap-high-get');
    expect(stdout).toContain('machine: arm926-up');
    expect(stdout).toMatch(/^ {2}cacheEvictions +CPU 0 at 0xbfe00000, /m);
  });
});

describe('mutation', () => {
  it('explores every single-step mutation, and says why one survives', async () => {
    const { status, stdout } = await tablewalkHere('explore', 'peterson', '--mutate');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^story peterson, variant repaired: every single-step mutation$/m);
    expect(stdout).toMatch(
      /^caught {5}story\/contender step 1, Store: dropped {2}\(two tasks are in the critical section\)$/m,
    );
    expect(stdout.match(/^survived .*$/gm)).toEqual(['survived   story/contender step 6, Store: dropped']);
    expect(stdout).toMatch(/^15 mutants: 14 caught by a rule, 0 by an assertion of the kernel, 1 survived$/m);
    expect(stdout).toMatch(/^ {2}1 of them: a flag left up between two rounds: /m);
  });

  it('is printed as JSON, with the reason at each survivor', async () => {
    const { status, stdout } = await tablewalkHere('explore', 'peterson', '--mutate', '--json');
    const { list, ...counts } = JSON.parse(stdout) as { list: { verdict: string; why?: string }[] };
    expect([status, counts]).toEqual([
      0,
      {
        story: 'peterson',
        variant: 'repaired',
        mutants: 15,
        caught: 14,
        crashed: 0,
        survived: 1,
        unexplained: 0,
        unfinished: 0,
      },
    ]);
    expect(list.filter(({ why }) => why !== undefined).map(({ verdict }) => verdict)).toEqual(['survived']);
  });

  it('ends with 1 where the story does not say why a mutant survives: here that of a third round', async () => {
    const third = await tablewalkHere('explore', 'peterson', '--mutate', '--set', 'rounds=3');
    expect([third.status, third.stdout]).toEqual([
      1,
      expect.stringContaining('1 of them: the story does not say why'),
    ]);
  });

  it('refuses a variant that is violated as it is', async () => {
    const refused = await tablewalkHere('explore', 'peterson', '--mutate', '--variant', 'no-turn');
    expect([refused.status, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(/^MUTATE_NEEDS_HOLDS: [^]*choose one that holds: repaired$/m);
  });
});

it('refuses what cannot be: exit code 2, and nothing on stdout', async () => {
  const refusals: readonly (readonly [says: string, ...args: string[]])[] = [
    ['STORY_UNKNOWN: there is no story "kmapdma"', 'kmapdma'],
    ['STRATEGY_UNKNOWN: there is no strategy "randon"', 'kmap-dma', '--strategy', 'randon'],
    ['SCHEDULE_MALFORMED: "tw1:0:0000" is no schedule', 'kmap-dma', '--schedule', 'tw1:0:0000'],
    ['SCHEDULE_MISPLACED: a scripted search has no schedule', 'kmap-dma', '--strategy', 'scripted'],
    ['EXPLORE_ALL_TAKES_NO: --record', 'kmap-dma', '--variant', 'all', '--record', file('x.mcap')],
    ['WORKERS_OUT_OF_RANGE: --workers 65', 'kmap-dma', '--workers', '65'],
    ['WORKERS_NEED_EXHAUSTIVE: a pct search', 'kmap-dma', '--workers', '2', '--strategy', 'pct'],
    ['SCHEDULE_OUT_OF_RANGE: step 1 of', 'kmap-dma', '--schedule', encodeSchedule([99])],
  ];
  for (const [says, ...args] of refusals) {
    const { status, stdout, stderr } = await tablewalkHere('explore', ...args, '--json');
    expect([says, status, stdout]).toEqual([says, 2, '']);
    expect(stderr).toContain(says);
  }
});

describe('stories', () => {
  it('are listed with the verdicts of their variants', async () => {
    const { status, stdout } = await tablewalkHere('stories', 'list');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^kmap-dma +\S.* \(repaired: holds, broken: violated\)$/m);
    const all = JSON.parse((await tablewalkHere('stories', 'list', '--json')).stdout) as { id: string }[];
    expect(all.map(({ id }) => id)).toEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    );
  });

  it('are shown with what happens, source, variants and knobs', async () => {
    const { stdout } = await tablewalkHere('stories', 'show', 'kmap-dma');
    for (const part of ['source: ', 'repaired ', 'rule: ', 'default 2']) expect(stdout).toContain(part);
    expect(JSON.parse((await tablewalkHere('stories', 'show', 'kmap-dma', '--json')).stdout)).toMatchObject({
      id: 'kmap-dma',
      kind: 'model',
      knobs: { S: 2 },
      variants: { broken: { verdict: 'violated' } },
    });
    expect((await tablewalkHere('stories', 'show', 'x')).stderr).toContain('STORY_UNKNOWN');
  });
});

it('explains itself, with an example', async () => {
  expect((await tablewalkHere('explore', '--help')).stdout).toMatch(/Examples:\n {2}tablewalk explore /);
  expect((await tablewalkHere('stories', 'show', '--help')).stdout).toMatch(
    /Example:\n {2}tablewalk stories show /,
  );
});

it('a process of its own ends with the code of the verdict, and says nothing on stderr in a pipe', () => {
  const ends = (...args: string[]): unknown => {
    const { status, stderr } = tablewalk('explore', 'kmap-dma', ...args);
    return [status, stderr.split(':')[0]];
  };
  expect(ends('--variant', 'repaired')).toEqual([0, '']);
  expect(ends('--variant', 'repaired', '--max-states', '20')).toEqual([4, '']);
  expect(ends('--variant', 'repared')).toEqual([2, 'STORY_VARIANT_UNKNOWN']);
});

it('docs/exploring.md shows what is printed', async () => {
  const page = readFileSync(join(repositoryRoot, 'docs/exploring.md'), 'utf8');
  const { stdout } = await tablewalkHere('explore', 'kmap-dma');
  const printed = stdout.split('\n');
  const [, shown = ''] = /^\$ npx tablewalk explore kmap-dma\n([^`]*)```/m.exec(page) ?? [];
  for (const line of shown.trimEnd().split('\n')) {
    const start = line.endsWith(' ...') ? line.slice(0, -3) : line;
    expect(printed.some((each) => (start === line ? each === line : each.startsWith(start)))).toBe(true);
  }
  expect(page).toContain(`\n${/^reproduce: (.*)$/m.exec(stdout)?.[1] ?? '?'}\n`);
  const [, mutants = ''] = /^\$ npx tablewalk explore peterson --mutate\n([^`]*)```/m.exec(page) ?? [];
  const judged = (await tablewalkHere('explore', 'peterson', '--mutate')).stdout.split('\n');
  const quoted = mutants.split('\n').filter((line) => line !== '' && line !== '...');
  expect([quoted.length > 0, quoted.filter((line) => !judged.includes(line))]).toEqual([true, []]);
});
