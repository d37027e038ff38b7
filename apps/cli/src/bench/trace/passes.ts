import { prngBelow, prngSeed } from '@tablewalk/base';
import { accessBatch, AccessKind, processesKey, pushAccess } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { buildMachine, planMachine } from '@tablewalk/compose';
import type { BuiltMachine } from '@tablewalk/compose';
import type { Machine } from '@tablewalk/machine';
import { createProcesses, drive } from '../../drive.ts';
import { catalogueFor } from '../../catalogue.ts';
import { pluginUses, readMachineFile } from '../../machine-file.ts';
import { TraceFile } from '../../trace-file.ts';
import { median } from '../figure.ts';
import { plainLru } from './plain-lru.ts';

const WARM_PASSES = 9;
const LONG_REFERENCES = 100_000_000;
const TENTHS = 10;
const RANDOM_LOADS = 4_000_000;
const RANDOM_BYTES = 8 * 2 ** 20;
/** An address that a process may use. */
const RANDOM_BASE = 0x1000_0000;
const BATCH = 32768;

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function build(machineName: string, set: readonly string[]): Promise<BuiltMachine> {
  const { config, at } = readMachineFile(machineName, { set });
  const uses = [...pluginUses(config)].filter((use) => use !== plainLru.id);
  const catalogue = await catalogueFor(uses, at);
  const get = (id: string) => (id === plainLru.id ? plainLru : catalogue.get(id));
  return buildMachine(planMachine(config, { ...catalogue, get }, at));
}

/** One process that runs the batches `times` over; `onBatch` hears of each before it runs, and of the end. */
async function runPasses(
  machineName: string,
  set: readonly string[],
  batches: readonly AccessBatch[],
  times: number,
  onBatch: (number: number) => void,
): Promise<void> {
  const built = await build(machineName, set);
  const machine = built.start();
  let next = 0;
  const source = {
    next(): Promise<AccessBatch | undefined> {
      onBatch(next);
      return Promise.resolve(next < batches.length * times ? batches[next++ % batches.length] : undefined);
    },
  };
  const workloads = [{ name: 'bench', source }];
  createProcesses(machine, workloads);
  await drive(machine, workloads);
  refuseUnlessRetired(machine, times * count(batches));
  machine.close();
}

const count = (batches: readonly AccessBatch[]): number =>
  batches.reduce((sum, batch) => sum + batch.count, 0);

/** A figure of a run that stopped early would be wrong. */
function refuseUnlessRetired(machine: Machine, references: number): void {
  const retired = machine.view(processesKey).reduce((sum, process) => sum + (process?.retired ?? 0), 0);
  if (retired !== references) throw new Error(`${retired} of ${references} references retired`);
}

/** References a second in a first pass over the batches, and in later ones. */
export async function passes(
  machineName: string,
  set: readonly string[],
  batches: readonly AccessBatch[],
): Promise<{ readonly cold: number; readonly warm: number }> {
  const times: number[] = [];
  await runPasses(machineName, set, batches, 1 + WARM_PASSES, (batch) => {
    if (batch % batches.length === 0) times.push(cpuSeconds());
  });
  const rates = times.slice(1).map((time, pass) => count(batches) / (time - (times[pass] as number)));
  return { cold: rates[0] as number, warm: median(rates.slice(1)) };
}

/** References a second of reading a trace file and nothing else, the first time and later. */
export async function readings(path: string): Promise<{ readonly cold: number; readonly warm: number }> {
  const rates: number[] = [];
  for (let reading = 0; reading < 1 + WARM_PASSES; reading++) {
    const start = cpuSeconds();
    const file = new TraceFile(path, { addressBits: 48, reuse: true });
    let references = 0;
    for (let batch = await file.next(); batch !== undefined; batch = await file.next())
      references += batch.count;
    rates.push(references / (cpuSeconds() - start));
  }
  return { cold: rates[0] as number, warm: median(rates.slice(1)) };
}

/** Loads of 8 bytes at random places of 8 MiB, after a pass that maps the pages. */
export async function randomLoads(): Promise<number> {
  const random = prngSeed(1);
  const batches = Array.from({ length: RANDOM_LOADS / BATCH }, () => {
    const batch = accessBatch(BATCH);
    while (batch.count < BATCH)
      pushAccess(batch, AccessKind.load, RANDOM_BASE + 8 * prngBelow(random, RANDOM_BYTES / 8), 8);
    return batch;
  });
  return (await passes('cortex-a9-smp', ['cpus=1'], batches)).warm;
}

/**
 * The rate over 10^8 references, and that of the last tenth to earlier ones. The first tenth has the page faults and
 * V8's compilation in it, so it is slow whatever comes after; the second is the first that is steady.
 */
export async function longRun(
  batches: readonly AccessBatch[],
): Promise<{ rate: number; lastToFirst: number; lastToSecond: number }> {
  const long: AccessBatch[] = [];
  for (let left = LONG_REFERENCES; left > 0; left -= long.at(-1)?.count ?? left)
    long.push(batches[long.length % batches.length] as AccessBatch);
  const ends = Array.from({ length: TENTHS + 1 }, (_, tenth) => Math.round((tenth * long.length) / TENTHS));
  const times: number[] = [];
  await runPasses('cortex-a9-smp', ['cpus=1'], long, 1, (batch) => {
    if (ends.includes(batch)) times.push(cpuSeconds());
  });
  const rate = (from: number, to: number): number =>
    count(long.slice(ends[from], ends[to])) / ((times[to] as number) - (times[from] as number));
  const last = rate(TENTHS - 1, TENTHS);
  return { rate: rate(0, TENTHS), lastToFirst: last / rate(0, 1), lastToSecond: last / rate(1, 2) };
}

/** The same LRU as a third party would write it: a method for each question, and no fast facet. */
export async function thirdPartyLru(batches: readonly AccessBatch[]): Promise<number> {
  return (await passes('l1-l2', ['slots.cache.with.replacement=replacement-plain-lru'], batches)).warm;
}
