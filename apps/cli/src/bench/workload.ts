import type { BuiltMachine } from '@tablewalk/compose';
import type { AccessBatch } from '@tablewalk/contracts';
import { join } from 'node:path';
import type { Workload } from '../drive.ts';
import { repositoryRoot } from '../install.ts';
import { buildFrom, readMachineFile } from '../machine-file.ts';
import { TraceFile } from '../trace-file.ts';

const TRACES = ['true.lk.gz', 'ls.lk.gz'].map((name) => join(repositoryRoot, 'machines/traces', name));

/** The Cortex-A9 machine with less memory than its processes want. */
export async function underPressure(): Promise<BuiltMachine> {
  const { config, at } = readMachineFile('cortex-a9-smp', { set: ['memory.ram=512KiB', 'checkers=[]'] });
  return buildFrom(config, at);
}

/** The committed traces, decoded. */
export async function smallTraces(built: BuiltMachine): Promise<{ name: string; batches: AccessBatch[] }[]> {
  return Promise.all(
    TRACES.map(async (name) => {
      const file = new TraceFile(name, { addressBits: built.vaBits });
      const batches: AccessBatch[] = [];
      for (let batch = await file.next(); batch !== undefined; batch = await file.next()) batches.push(batch);
      return { name, batches };
    }),
  );
}

/** Processes that run their trace again and again, `times` times or without end. */
export const repeated = (
  traces: readonly { name: string; batches: AccessBatch[] }[],
  times = Infinity,
): Workload[] =>
  traces.map(({ name, batches }) => {
    let next = 0;
    return {
      name,
      source: {
        next: () =>
          Promise.resolve(next < batches.length * times ? batches[next++ % batches.length] : undefined),
      },
    };
  });
