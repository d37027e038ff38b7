import { accessBatch, pushAccess, vaOfAccess } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import type { Machine } from '@tablewalk/machine';
import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createProcesses, drive } from './drive.ts';
import { repositoryRoot } from './install.ts';
import { buildFrom, readMachineFile } from './machine-file.ts';
import { measuresAfter, measuresOf, regionOf, skipReferences } from './region.ts';
import type { Region } from './region.ts';
import { Intervals } from './report/intervals.ts';
import { simulatedStatistics, statsJson } from './report/statistics.ts';
import { tablewalk } from './testing/tablewalk.ts';
import { TraceFile } from './trace-file.ts';
import type { BatchSource } from './trace-file.ts';

const batchesOf = (sizes: readonly number[]): AccessBatch[] => {
  let va = 0;
  return sizes.map((size) => {
    const batch = accessBatch(size + 3);
    for (let i = 0; i < size; i++) pushAccess(batch, 1, (va += 4), 4);
    return batch;
  });
};
const sourceOf = (batches: readonly AccessBatch[]): BatchSource => {
  const rest = [...batches];
  return { next: () => Promise.resolve(rest.shift()) };
};
async function addressesOf(source: BatchSource): Promise<number[]> {
  const addresses: number[] = [];
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    expect(batch.count).toBeGreaterThan(0);
    for (let i = 0; i < batch.count; i++) addresses.push(vaOfAccess(batch, i));
  }
  return addresses;
}

describe('a region', () => {
  it('passes over exactly the first references of a trace, however they are batched', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(60), async (list, skip) => {
        const all = await addressesOf(sourceOf(batchesOf(list)));
        expect(await addressesOf(skipReferences(sourceOf(batchesOf(list)), skip))).toEqual(all.slice(skip));
      }),
    );
  });

  it('never ends where intervals go on to the end of the traces, so nobody may ask for all of them', () => {
    const ahead = measuresAfter({ skip: 0, warmup: 10, interval: 100 }, 250);
    expect([ahead.next().value, ahead.next().value]).toEqual([
      { kind: 'measure', what: 'interval', references: 310 },
      { kind: 'measure', what: 'interval', references: 410 },
    ]);
  });

  it('has its places in order, the last interval ended by the end itself', () => {
    const places = (region: Region): string[] =>
      [...measuresOf(region)].map(({ what, references }) => `${what} ${references}`);
    expect(places({ skip: 9, warmup: 5, max: 20, interval: 10 })).toEqual([
      'begin 5',
      'interval 15',
      'end 25',
    ]);
    expect(places({ skip: 0, warmup: 0, max: 7 })).toEqual(['end 7']);
    expect(places({ skip: 0, warmup: 0 })).toEqual([]);
    expect(() => regionOf({ interval: 0 })).toThrow('REGION_EMPTY');
  });
});

const trace = join(repositoryRoot, 'machines/traces/true.lk.gz');
type Figures = Readonly<Record<string, number>>;

async function figuresOf(
  machineName: string,
  region: Region,
  processes = 1,
): Promise<[Figures, Figures[], Machine]> {
  const { config, at } = readMachineFile(machineName, { set: ['memory.ram=512KiB'] });
  const built = await buildFrom(config, at);
  const machine = built.start();
  const told: Figures[] = [];
  const write = ({ statistics }: { statistics: Parameters<typeof statsJson>[0] }): void => {
    told.push(statsJson(statistics));
  };
  const intervals = new Intervals(built.dataPlane.counterNames, { write, close() {} });
  const workloads = Array.from({ length: processes }, (_, i) => ({
    name: `process ${i}`,
    source: skipReferences(new TraceFile(trace), region.skip),
  }));
  createProcesses(machine, workloads);
  await drive(machine, workloads, {
    measures: measuresOf(region),
    onMeasure: (measure) => {
      intervals.at(measure, machine.world);
    },
  });
  intervals.close(machine.world);
  return [statsJson(simulatedStatistics(machine.world, built.dataPlane.counterNames)), told, machine];
}

const added = (parts: readonly Figures[]): Figures => {
  const sum: Record<string, number> = {};
  for (const part of parts)
    for (const [name, value] of Object.entries(part)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
};

describe('a measured run', () => {
  it('counts exactly what it says, and its intervals come to its figures', async () => {
    const [figures, intervals] = await figuresOf(
      'cortex-a9-smp',
      { skip: 100, warmup: 5003, max: 12_345, interval: 1001 },
      2,
    );
    expect((figures['cpu0.references'] ?? 0) + (figures['cpu1.references'] ?? 0)).toBe(12_345);
    expect((figures['process1.references'] ?? 0) + (figures['process2.references'] ?? 0)).toBe(12_345);
    expect(intervals).toHaveLength(13);
    for (const interval of intervals.slice(0, -1))
      expect((interval['cpu0.references'] ?? 0) + (interval['cpu1.references'] ?? 0)).toBe(1001);
    expect(added(intervals)).toEqual(figures);
  });

  it('sees on one CPU what a run without a warm-up sees there', async () => {
    const [before, , until] = await figuresOf('arm926-up', { skip: 0, warmup: 0, max: 4999 });
    const [after] = await figuresOf('arm926-up', { skip: 0, warmup: 4999, max: 10_000 });
    const [whole, , machine] = await figuresOf('arm926-up', { skip: 0, warmup: 0, max: 14_999 });
    expect(until.references).toBe(4999);
    expect(machine.references).toBe(14_999);
    const { 'sim.facts': facts, ...together } = added([before, after]);
    // The place itself is a fact, and so is what the cut batch retired.
    expect(facts).toBeGreaterThan(whole['sim.facts'] ?? 0);
    expect({ ...together, 'sim.facts': 0 }).toEqual({ ...whole, 'sim.facts': 0 });
  });
});

describe('on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tablewalk-region-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = (name: string): string => join(folder, name);
  const WORK = ['cortex-a9-smp', '--trace', trace, '--skip', '50', '--warmup', '4000', '--max-refs', '9000'];

  it('a measured run reruns and replays from its history to the same figures', () => {
    const run = tablewalk('run', ...WORK, '--interval', '2500', '--record', file('h.mcap'), '--json');
    expect(run.status).toBe(0);
    const { statistics, digest, status, intervals } = JSON.parse(run.stdout) as Record<string, unknown>;
    expect(status).toBe('measured');
    expect(intervals).toHaveLength(4);
    const again = JSON.parse(tablewalk('rerun', file('h.mcap'), '--json').stdout) as Record<string, unknown>;
    expect(again).toMatchObject({ same: true, digest });
    const replayed = JSON.parse(tablewalk('replay', file('h.mcap'), '--json').stdout) as Record<
      string,
      unknown
    >;
    expect(replayed['statistics']).toEqual(statistics);
  });

  it('intervals go into a file as CSV, JSON or blocks of stats.txt', () => {
    const texts = ['i.csv', 'i.json', 'i.txt'].map((name) => {
      const run = tablewalk('run', ...WORK, '--interval', '2500', '--interval-file', file(name), '--json');
      expect(run.status).toBe(0);
      return readFileSync(file(name), 'utf8');
    });
    const [csv = '', json = '', blocks = ''] = texts;
    const list = JSON.parse(json) as Figures[];
    const [head = '', ...rows] = csv.trimEnd().split('\n');
    expect(rows.map((row) => row.split(',').map(Number))).toEqual(
      list.map((figures) => Object.values(figures)),
    );
    expect(head.split(',')).toEqual(Object.keys(list[0] ?? {}));
    expect(blocks.match(/Begin Simulation Statistics/g)).toHaveLength(4);
    expect(blocks.match(/cpu\d\.references +(\d+)/g)?.join()).toContain('2500');
  });
});
