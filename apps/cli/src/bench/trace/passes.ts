import { prngBelow, prngSeed } from '@tablewalk/base';
import { accessBatch, AccessKind, pushAccess } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { processesKey } from '@tablewalk/contracts';
import { buildMachine, planMachine } from '@tablewalk/compose';
import type { BuiltMachine } from '@tablewalk/compose';
import type { Machine } from '@tablewalk/machine';
import { createProcesses, drive } from '../../drive.ts';
import { catalogueFor } from '../../catalogue.ts';
import { pluginUses, readMachineFile } from '../../machine-file.ts';
import { median } from '../figure.ts';
import { plainLru } from './plain-lru.ts';

const WARM_PASSES = 3;
const LONG_REFERENCES = 100_000_000;
const RANDOM_LOADS = 4_000_000;
const RANDOM_BYTES = 8 * 2 ** 20;
/** Above the batch's first byte: anywhere that a process may use. */
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

/** One process that runs the batches `times` over; `onPass` is called before each pass and at the end. */
async function runPasses(
  machineName: string,
  set: readonly string[],
  batches: readonly AccessBatch[],
  times: number,
  onPass: (pass: number) => void,
): Promise<void> {
  const built = await build(machineName, set);
  const machine = built.start();
  let next = 0;
  const source = {
    next(): Promise<AccessBatch | undefined> {
      if (next % batches.length === 0) onPass(next / batches.length);
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
  await runPasses(machineName, set, batches, 1 + WARM_PASSES, () => times.push(cpuSeconds()));
  const rates = times.slice(1).map((time, pass) => count(batches) / (time - (times[pass] as number)));
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

/** The rate over 10^8 references, and that of the last tenth to that of the first. */
export async function longRun(
  batches: readonly AccessBatch[],
): Promise<{ rate: number; lastToFirst: number }> {
  const long: AccessBatch[] = [];
  for (let left = LONG_REFERENCES, i = 0; left > 0; i++) {
    const batch = batches[i % batches.length] as AccessBatch;
    long.push(batch);
    left -= batch.count;
  }
  const tenth = Math.floor(long.length / 10);
  const times: number[] = [];
  const counts = [0];
  const marked = long.map((batch, i) => ({ batch, mark: i % tenth === 0 }));
  let i = 0;
  const built = await build('cortex-a9-smp', ['cpus=1']);
  const machine = built.start();
  let given = 0;
  const source = {
    next(): Promise<AccessBatch | undefined> {
      const one = marked[i++];
      if (one === undefined || one.mark) {
        times.push(cpuSeconds());
        counts[times.length - 1] = given;
      }
      given += one?.batch.count ?? 0;
      return Promise.resolve(one?.batch);
    },
  };
  createProcesses(machine, [{ name: 'long', source }]);
  await drive(machine, [{ name: 'long', source }]);
  machine.close();
  const rateOf = (from: number): number =>
    ((counts[from + 1] as number) - (counts[from] as number)) /
    ((times[from + 1] as number) - (times[from] as number));
  const whole = ((counts[10] as number) - 0) / ((times[10] as number) - (times[0] as number));
  // The first tenth has the page faults and the compiler in it; the second is the first that is steady.
  return { rate: whole, lastToFirst: rateOf(9) / rateOf(0) };
}

/** The same LRU as a third party would write it: a method for each question, and no fast facet. */
export async function thirdPartyLru(batches: readonly AccessBatch[]): Promise<number> {
  return (await passes('l1-l2', ['slots.cache.with.replacement=replacement-plain-lru'], batches)).warm;
}
