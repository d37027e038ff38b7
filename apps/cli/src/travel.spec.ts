import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tablewalk } from './testing/tablewalk.ts';

/** The life of a history on the command line: recorded, replayed, rerun, branched, compared. */
const folder = mkdtempSync(join(tmpdir(), 'tablewalk-travel-'));
const file = (name: string): string => join(folder, name);
const WORK = [
  'cortex-a9-smp',
  ...['--trace', 'machines/traces/true.lk.gz', '--trace', 'machines/traces/ls.lk.gz'],
  ...['--set', 'memory.ram=512KiB', '--json'],
];
interface Result {
  readonly seed: number;
  readonly digest: string;
  readonly facts: number;
  readonly same: boolean;
  readonly from: number;
  readonly status: string;
  readonly violation?: {
    readonly fact: { readonly checker: string; readonly culprit: number };
    readonly causedBy: unknown;
  };
  readonly first?: { readonly seq: number };
  readonly statistics: Readonly<Record<string, number>>;
}
const json = (output: string): Result => JSON.parse(output) as Result;

let recorded: Result;
beforeAll(() => {
  const { status, stdout } = tablewalk('run', ...WORK, '--record', file('h.mcap'));
  expect(status).toBe(0);
  recorded = json(stdout);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a recorded run', () => {
  it('replays to the statistics that the run had', () => {
    const replayed = json(tablewalk('replay', file('h.mcap'), '--json').stdout);
    expect(replayed.statistics).toEqual(recorded.statistics);
    expect(replayed.seed).toBe(recorded.seed);
  });

  it('replays to any fact, from a checkpoint or from the beginning', () => {
    for (const at of [0, 1, 16383, 16384, 16385, recorded.facts]) {
      const { stdout, status } = tablewalk('replay', file('h.mcap'), '--at', String(at), '--json');
      expect(status).toBe(0);
      expect(json(stdout).statistics['sim.facts']).toBe(at);
    }
    expect(tablewalk('replay', file('h.mcap'), '--at', '99999999')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('FACT_OUT_OF_RANGE') as string,
    });
  });

  it('is decided again, fact by fact, to the same digest', () => {
    const { status, stdout } = tablewalk('rerun', file('h.mcap'), '--json');
    expect(status).toBe(0);
    expect(json(stdout)).toMatchObject({ same: true, digest: recorded.digest });
  });

  it('goes on to the same end when it branches without a change', () => {
    const branch = json(tablewalk('branch', file('h.mcap'), '--at', '9000', '--json').stdout);
    expect([branch.digest, branch.facts]).toEqual([recorded.digest, recorded.facts]);
  });

  it('ends in a violation when it branches under mmu-gather-immediate, and the branch can be rerun', () => {
    const set = ['--set', 'slots.mmu-gather=mmu-gather-immediate'];
    const { status, stdout } = tablewalk(
      'branch',
      file('h.mcap'),
      '--at',
      '6000',
      ...set,
      '--record',
      file('b.mcap'),
      '--json',
    );
    expect(status).toBe(1);
    expect(json(stdout).violation?.fact.checker).toBe('checker-page-use-after-free');
    expect(tablewalk('rerun', file('b.mcap'), '--json').status).toBe(0);
    const diff = tablewalk('diff', file('h.mcap'), file('b.mcap'), '--json');
    expect(diff.status).toBe(1);
    expect(json(diff.stdout).first?.seq).toBeGreaterThanOrEqual(json(stdout).from);
  });

  it('refuses a branch that cannot be', () => {
    const branch = (...set: string[]): string =>
      tablewalk('branch', file('h.mcap'), '--at', '6000', ...set).stderr;
    expect(branch('--set', 'memory.ram=1MiB')).toContain('BRANCH_CANNOT_CHANGE');
    // The history has the pgd policy that came with its format: both change hands, or it is refused for that.
    const identity = ['--set', 'slots.page-table=page-table-identity'];
    expect(branch(...identity)).toContain('FACETS_INCOMPATIBLE');
    expect(branch(...identity, '--set', 'slots.pgd=pgd-none')).toContain('BRANCH_CANNOT_CHANGE');
    expect(branch('--record', file('h.mcap'))).toContain('HISTORY_UNWRITABLE');
  });
});

it('one seed gives the same bytes, another seed other facts', () => {
  tablewalk('run', ...WORK, '--record', file('again.mcap'));
  expect(readFileSync(file('again.mcap')).equals(readFileSync(file('h.mcap')))).toBe(true);
  tablewalk('run', ...WORK, '--seed', '2', '--record', file('other.mcap'));
  const diff = tablewalk('diff', file('h.mcap'), file('other.mcap'), '--json');
  expect([diff.status, json(diff.stdout).same]).toEqual([1, false]);
});

it('page-use-after-free tells immediate from batched, and names the fact that caused it', () => {
  const immediate = tablewalk('run', ...WORK, '--set', 'slots.mmu-gather=mmu-gather-immediate');
  expect(immediate.status).toBe(1);
  const { violation } = json(immediate.stdout);
  expect(violation?.fact.checker).toBe('checker-page-use-after-free');
  expect(violation?.causedBy).toMatchObject({ seq: violation?.fact.culprit, fact: { type: 'PageFreed' } });
  for (const shootdown of ['shootdown-ipi-all', 'shootdown-ipi-mm-cpumask', 'shootdown-tlbi-broadcast'])
    expect(tablewalk('run', ...WORK, '--set', `slots.shootdown=${shootdown}`).status).toBe(0);
});
