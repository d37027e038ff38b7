import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHistoryFile } from './history-file.ts';
import { lastPlace } from './standstill.ts';
import { tablewalk } from './testing/tablewalk.ts';

/** A run that was killed, or stopped, goes on from a checkpoint of its arenas and ends as if it never had been. */
const folder = mkdtempSync(join(tmpdir(), 'tablewalk-resume-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const file = (name: string): string => join(folder, name);
const WORK = [
  'cortex-a9-smp',
  ...['--trace', 'machines/traces/true.lk.gz', '--trace', 'machines/traces/ls.lk.gz', '--json', '--quiet'],
  ...['--set', 'memory.ram=512KiB', '--skip', '77', '--warmup', '9999', '--checkpoint-every', '15000'],
];
interface Result {
  readonly digest: string;
  readonly facts: number;
  readonly resumedFrom: number;
  readonly status: string;
  readonly same: boolean;
  readonly statistics: Readonly<Record<string, number>>;
}
function resultOf(...args: string[]): Result {
  const { status, stdout, stderr } = tablewalk(...args);
  expect(stderr).not.toContain('INTERNAL');
  expect(status).toBe(0);
  return JSON.parse(stdout) as Result;
}

let whole: Result;
beforeAll(() => {
  whole = resultOf('run', ...WORK, '--record', file('whole.mcap'));
});

describe('a run that goes on', () => {
  it.each([0.35, 0.6, 0.9])('after it was killed: the same facts, digest and statistics', (share) => {
    const bytes = readFileSync(file('whole.mcap'));
    writeFileSync(file('killed.mcap'), bytes.subarray(0, Math.floor(bytes.length * share)));
    const resumed = resultOf(
      'run',
      '--resume',
      file('killed.mcap'),
      '--record',
      file('again.mcap'),
      '--json',
    );
    expect(resumed.resumedFrom).toBeGreaterThan(0);
    expect(resumed).toMatchObject({ facts: whole.facts, digest: whole.digest, statistics: whole.statistics });
    const rerun = resultOf('rerun', file('again.mcap'), '--json');
    expect(rerun).toMatchObject({ same: true, digest: whole.digest });
  });

  it.each([
    ['--max-refs', '60001'],
    ['--max-refs', '5'],
    ['--max-facts', '5000'],
  ])('after it was stopped by %s %s', (...limit) => {
    resultOf('run', ...WORK, ...limit, '--record', file('stopped.mcap'));
    const { facts, digest, statistics } = resultOf('run', '--resume', file('stopped.mcap'), '--json');
    expect({ facts, digest, statistics }).toEqual({
      facts: whole.facts,
      digest: whole.digest,
      statistics: whole.statistics,
    });
  });

  it('goes on with the intervals that it had', () => {
    const work = [...WORK, '--interval', '30000'];
    const once = resultOf('run', ...work);
    resultOf('run', ...work, '--max-facts', '4000', '--record', file('stopped.mcap'));
    const { facts, digest } = resultOf('run', '--resume', file('stopped.mcap'), '--json');
    expect({ facts, digest }).toEqual({ facts: once.facts, digest: once.digest });
  });

  it('goes on only so far as it is told, which is no other run either', () => {
    const limit = ['--max-refs', '90000'];
    resultOf('run', ...WORK, '--max-refs', '60001', '--record', file('stopped.mcap'));
    const once = resultOf('run', ...WORK, ...limit);
    const twice = resultOf('run', '--resume', file('stopped.mcap'), ...limit, '--json');
    expect([twice.digest, twice.status, twice.statistics]).toEqual([
      once.digest,
      'measured',
      once.statistics,
    ]);
  });

  it('is refused another machine, other options and other traces', () => {
    for (const [code, ...args] of [
      ['RESUME_OTHER_RUN', 'arm926-up'],
      ['RESUME_OTHER_RUN', '--set', 'memory.ram=1MiB'],
      ['RESUME_OTHER_RUN', '--warmup', '3'],
      ['RESUME_OTHER_RUN', '--trace', 'machines/traces/ls.lk.gz'],
      ['HISTORY_UNWRITABLE', '--record', file('whole.mcap')],
    ] as const)
      expect(tablewalk('run', ...args, '--resume', file('whole.mcap')).stderr).toContain(code);
  });
});

it('a damaged checkpoint of the arenas is told, and the one before it serves', async () => {
  const bytes = readFileSync(file('whole.mcap'));
  const history = await openHistoryFile(file('whole.mcap'));
  const built = await history.build();
  const before = lastPlace(
    history,
    built,
    () => true,
    () => expect.unreachable(),
  );
  const [previous = 0, last = 0] = history.history.arenaSeqs.slice(-2);
  expect(before.standstill.world.facts).toBe(last);
  const chunk = history.history.arenaBytes(last);
  for (let at = chunk.from + 60; at < chunk.to - 60; at += 7) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(file('damaged.mcap'), bytes);
  const told: string[] = [];
  const damaged = await openHistoryFile(file('damaged.mcap'));
  const place = lastPlace(
    damaged,
    await damaged.build(),
    () => true,
    (text) => told.push(text),
  );
  expect(place.standstill.world.facts).toBe(previous);
  expect(told).toEqual([expect.stringContaining(`after ${last} facts is passed over`)]);
  const resumed = tablewalk('run', '--resume', file('damaged.mcap'), '--json');
  expect(resumed.stderr).toContain('passed over');
  expect(JSON.parse(resumed.stdout)).toMatchObject({ digest: whole.digest, resumedFrom: previous });
});
