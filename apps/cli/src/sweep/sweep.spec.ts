import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../install.ts';
import { tablewalkHere } from '../testing/tablewalk.ts';
import { SLAB_BYTES } from './trace-memory.ts';

/** Sweeps in real threads, held against single runs of the same machines. */
const folder = mkdtempSync(join(tmpdir(), 'tablewalk-sweep-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const REFERENCES = 40_000;
const TRACES = ['true', 'ls'].map((name) => {
  const text = gunzipSync(readFileSync(join(repositoryRoot, 'machines/traces', `${name}.lk.gz`))).toString();
  const file = join(folder, `${name}.lk`);
  writeFileSync(file, `${text.split('\n').slice(0, REFERENCES).join('\n')}\n`);
  return file;
});
const ON_TRACES = TRACES.flatMap((file) => ['--trace', file]);

interface SweepJson {
  readonly traces: readonly unknown[];
  readonly points: readonly {
    readonly values: Readonly<Record<string, string>>;
    readonly status: string;
    readonly code?: string;
    readonly digest?: string;
    readonly metrics?: Readonly<Record<string, number>>;
  }[];
}
interface RunJson {
  readonly digest: string;
  readonly statistics: Readonly<Record<string, number>>;
}

async function swept(...args: readonly string[]): Promise<{ status: number | null; json: SweepJson }> {
  const { status, stdout, stderr } = await tablewalkHere('sweep', 'cortex-a9-smp', ...args, '--json');
  expect(stderr).toBe('');
  return { status, json: JSON.parse(stdout) as SweepJson };
}

const METRICS = ['--metric', 'cpu0.dtlb.misses::L', '--metric', 'tlb.walks', '--metric', 'sim.cycles'];
/** Ends within a batch. */
const REGION = ['--skip', '1000', '--warmup', '5000', '--max-refs', '35000'];
const SETS = ['--set', 'slots.tlb.second.entries=32,64', '--set', 'memory.ram=1GiB,384KiB'];

describe('a sweep', () => {
  it('comes at every point to what a run of that machine comes to, in one thread and in three', async () => {
    const args = [...ON_TRACES, ...SETS, ...METRICS, ...REGION];
    const one = await swept(...args, '--workers', '1');
    const three = await swept(...args, '--workers', '3');
    expect(three.json.points).toEqual(one.json.points);
    expect(one.status).toBe(0);
    expect(one.json.points.map(({ values }) => Object.values(values).join(' '))).toEqual([
      ...['32 1GiB', '32 384KiB', '64 1GiB', '64 384KiB'],
    ]);
    for (const { values, digest, metrics } of one.json.points) {
      const sets = Object.entries(values).flatMap(([path, value]) => ['--set', `${path}=${value}`]);
      const alone = await tablewalkHere('run', 'cortex-a9-smp', ...ON_TRACES, ...REGION, ...sets, '--json');
      const run = JSON.parse(alone.stdout) as RunJson;
      expect(digest).toBe(run.digest);
      expect(metrics?.['sim.cycles']).toBe(run.statistics['sim.cycles']);
      expect(metrics?.['cpu0.dtlb.misses::L']).toBe(run.statistics['cpu0.dtlb.misses::L']);
      const walks = (run.statistics['cpu0.tlb.walks'] ?? 0) + (run.statistics['cpu1.tlb.walks'] ?? 0);
      expect(metrics?.['tlb.walks']).toBe(walks);
    }
  });

  it('comes to the same whether its traces are in memory as columns, compressed, or some of each', async () => {
    const set = ['--set', 'memory.ram=1GiB,384KiB'];
    const args = ['sweep', 'cortex-a9-smp', ...ON_TRACES, ...set, '--skip', '1000', '--json'];
    const { points, traces } = JSON.parse((await tablewalkHere(...args)).stdout) as SweepJson;
    for (const [slabs, compressed] of [
      [1, '78,000'],
      [3, '39,000'],
    ] as const) {
      const { stdout, stderr } = await tablewalkHere(...args, '--trace-memory', String(slabs * SLAB_BYTES));
      expect(JSON.parse(stdout)).toMatchObject({ points, traces });
      expect(stderr).toContain(`${compressed} of 78,000 references are compressed`);
    }
  });

  it('reports a machine that cannot be in its row, runs the others, and ends with 2', async () => {
    const ways = ['--set', 'slots.tlb.second.entries=32,33,64', '--max-refs', '5000'];
    const { status, json } = await swept(...ON_TRACES, ...ways);
    expect(status).toBe(2);
    expect(json.points.map((point) => point.code ?? point.status)).toEqual([
      ...['finished', 'TLB_GEOMETRY', 'finished'],
    ]);
  });

  it.each([
    ['a path that is none', ['--set', 'slots.tlb.ways=32,64'], 'CONFIG_UNKNOWN_KEY', 'ways=32'],
    ['a plugin that is none', ['--set', 'slots.cache=cache-pipt,cache-pitp'], 'PLUGIN_UNKNOWN', 'cache-pitp'],
    ['a metric that is none', ['--metric', 'dtlb.mises'], 'METRIC_UNKNOWN', 'dtlb.misses'],
    ['too little memory', ['--trace-memory', '100000'], 'SWEEP_TRACE_TOO_LARGE', '--max-refs'],
    ['no threads', ['--workers', '0'], 'WORKERS_OUT_OF_RANGE', '--workers'],
    ['two outputs', ['--json', '--csv'], 'SWEEP_TWO_OUTPUTS', '--csv FILE'],
    ['nothing to go on with', ['--out', join(folder, 'none'), '--resume'], 'SWEEP_NOTHING_TO_RESUME', 'none'],
  ])('refuses %s before anything runs', async (_what, args, code, named) => {
    const { status, stdout, stderr } = await tablewalkHere('sweep', 'cortex-a9-smp', ...ON_TRACES, ...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`${code}:`);
    expect(stderr).toContain(named);
  });

  it('takes several machines, and points by name that differ in what they have', async () => {
    const points = ['--points', join(repositoryRoot, 'machines/sweeps/arm-tlbs.yaml')];
    const args = ['cortex-a15-smp', ...ON_TRACES, ...points, '--max-refs', '4000'];
    const { status, json } = await swept(...args);
    expect(status).toBe(0);
    const has = (name: string) =>
      json.points.map(({ metrics }) => (metrics?.[name] === undefined ? '-' : name));
    const names = ['A7', 'A8', 'A9', 'A15'];
    expect(json.points.map(({ values }) => [values['machine'], values['point']])).toEqual(
      ['cortex-a9-smp', 'cortex-a15-smp'].flatMap((machine) => names.map((name) => [machine, name])),
    );
    expect(has('l2tlb.misses').slice(0, 4)).toEqual(['l2tlb.misses', '-', 'l2tlb.misses', 'l2tlb.misses']);
    expect(has('loadtlb.misses').slice(4)).toEqual(['-', '-', '-', 'loadtlb.misses']);
    expect(new Set(json.points.map(({ digest }) => digest)).size).toBe(8);
  });

  it.each(['[1, 2]', 'A7: 3', '{}'])('refuses a file of points that is none: %s', async (text) => {
    const file = join(folder, 'points.yaml');
    writeFileSync(file, text);
    const { status, stderr } = await tablewalkHere('sweep', 'arm926-up', ...ON_TRACES, '--points', file);
    expect(status).toBe(2);
    expect(stderr).toContain('SWEEP_POINTS_FILE:');
  });

  it('writes a table on a terminal and CSV into a file', async () => {
    const csv = join(folder, 'results.csv');
    const args = ['--set', 'slots.tlb.second.entries=32,64', '--max-refs', '5000', '--csv', csv];
    const { stdout } = await tablewalkHere('sweep', 'cortex-a9-smp', ...ON_TRACES, ...args);
    expect(stdout).toMatch(/^ +misses per 1000 references\nsecond\.entries +references +itlb +dtlb /);
    const [head = '', ...lines] = readFileSync(csv, 'utf8').trim().split('\r\n');
    expect(head).toMatch(/^slots\.tlb\.second\.entries,status,code,references,itlb\.lookups,itlb\.misses,/);
    expect(lines.map((line) => line.split(',', 4))).toEqual([
      ['32', 'finished', '', '5000'],
      ['64', 'finished', '', '5000'],
    ]);
  });
});
