import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { repositoryRoot } from '../install.ts';
import { commandFile, tablewalkHere } from '../testing/tablewalk.ts';
import type { SweepFile } from './sweep-file.ts';

/** Real processes that sweep are ended in the middle; what they leave is gone on with. */
const folder = mkdtempSync(join(tmpdir(), 'tablewalk-interrupted-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const ENTRIES = '16,32,33,64,128,256,512';
const COUNT = ENTRIES.split(',').length;
const command = (out: string, workers: number, entries = ENTRIES): string[] => [
  ...['sweep', 'cortex-a9-smp', '--trace', join(repositoryRoot, 'machines/traces/true.lk.gz')],
  ...['--set', `slots.tlb.second.entries=${entries}`, '--out', join(folder, out)],
  ...['--workers', String(workers), '--quiet'],
];
const fileOf = (out: string): string => join(folder, out, 'sweep.json');
const read = (out: string): SweepFile => JSON.parse(readFileSync(fileOf(out), 'utf8')) as SweepFile;

/** Sweeps in a process of its own and ends it as soon as `points` are in the file. */
function sweepAndEnd(out: string, points: number, signal: NodeJS.Signals): Promise<ChildProcess> {
  const child = spawn(process.execPath, [commandFile, ...command(out, 2)], { cwd: repositoryRoot });
  return new Promise((resolve) => {
    const watch = setInterval(() => {
      if (!existsSync(fileOf(out)) || read(out).points.length < points) return;
      clearInterval(watch);
      child.kill(signal);
    }, 5);
    child.once('exit', () => {
      clearInterval(watch);
      resolve(child);
    });
  });
}

it('Ctrl-C and kill -9 keep what is done, and --resume comes to the file of a sweep that nobody ended', async () => {
  const whole = await tablewalkHere(...command('whole', 2));
  expect(whole.status).toBe(2);
  expect(
    read('whole').points.map((point) => (point.status === 'failed' ? point.code : point.status)),
  ).toEqual(ENTRIES.split(',').map((entries) => (entries === '33' ? 'TLB_GEOMETRY' : 'finished')));

  // The point that cannot be is there from the beginning.
  const interrupted = await sweepAndEnd('interrupted', 3, 'SIGINT');
  expect(interrupted.exitCode).toBe(130);
  const killed = await sweepAndEnd('killed', 3, 'SIGKILL');
  expect(killed.signalCode).toBe('SIGKILL');

  for (const out of ['interrupted', 'killed']) {
    const { points } = read(out);
    expect(points.length).toBeGreaterThanOrEqual(3);
    expect(points.length).toBeLessThan(COUNT);
    const resumed = await tablewalkHere(...command(out, 1), '--resume');
    expect(resumed.stdout).toBe(whole.stdout);
    expect(readFileSync(fileOf(out), 'utf8')).toBe(readFileSync(fileOf('whole'), 'utf8'));
  }

  const refusal = async (...args: readonly string[]): Promise<string> => {
    const { status, stderr } = await tablewalkHere(...args);
    expect(status).toBe(2);
    return stderr;
  };
  expect(await refusal(...command('whole', 1))).toContain('SWEEP_EXISTS:');
  expect(await refusal(...command('whole', 1, '16,32'), '--resume')).toMatch(/SWEEP_CHANGED:[^]*--set/);
  expect(await refusal(...command('whole', 1), '--seed', '2', '--resume')).toContain(
    'not the same: the machine',
  );
  expect(await refusal(...command('whole', 1), '--max-refs', '9', '--resume')).toContain('the region');
  writeFileSync(fileOf('whole'), '{ "sweep": 1, "poi');
  expect(await refusal(...command('whole', 1), '--resume')).toContain('SWEEP_FILE_DAMAGED:');
});
