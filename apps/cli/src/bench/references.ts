import { createProcesses, drive } from '../drive.ts';
import { buildFrom, readMachineFile } from '../machine-file.ts';
import { round } from './figure.ts';
import type { Figure } from './figure.ts';
import { repeated, smallTraces } from './workload.ts';

const ROUNDS = 20;

/** References a second through the whole machine: TLBs, walks, caches, faults, two processes on two CPUs. */
export async function referencesBench(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const name of ['cortex-a9-smp', 'arm926-up']) {
    const { config, at } = readMachineFile(name, {});
    const built = await buildFrom(config, at);
    const workloads = repeated(await smallTraces(built), ROUNDS);
    const machine = built.start();
    createProcesses(machine, workloads);
    const start = performance.now();
    await drive(machine, workloads);
    const elapsed = (performance.now() - start) / 1000;
    const references = machine.world.slices['processes'] as readonly { retired: number }[];
    const total = references.reduce((sum, process) => sum + process.retired, 0);
    machine.close();
    figures.push({
      name: `referencesPerSecond.${name}`,
      value: round(total / elapsed),
      unit: 'references/s, the whole machine, decoded traces',
    });
  }
  return figures;
}
