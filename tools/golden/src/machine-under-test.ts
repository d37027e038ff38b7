import { buildMachine, parseMachine, planMachine } from '@tablewalk/compose';
import type { BuiltMachine, Catalogue } from '@tablewalk/compose';
import { accessBatch, copyAccesses } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { statisticsKey } from '@tablewalk/machine';
import type { Machine } from '@tablewalk/machine';
import { builtInPlugins, createProcesses, drive } from '../../../apps/cli/src/index.ts';
import type { BatchSource } from '../../../apps/cli/src/index.ts';

/** What a run on the ordinary path counted. */
export interface Counted {
  /** A counter by its dotted name; 0 when the machine has none of that name. */
  count(name: string): number;
  /** Sum of a counter over the kinds given after `::`. */
  sum(stem: string, kinds: string): number;
  readonly valid: Readonly<Record<string, number>>;
  readonly contextSwitches: number;
}

let plugins: Catalogue | undefined;
async function catalogue(): Promise<Catalogue> {
  if (plugins === undefined) {
    const all = await builtInPlugins();
    plugins = { get: (id) => all.get(id), idsOf: () => [...all.keys()] };
  }
  return plugins;
}

/** Runs processes to their end on a machine, exactly as `tablewalk run` does. */
export async function countOn(machineFile: unknown, processes: readonly BatchSource[]): Promise<Counted> {
  const plan = planMachine(parseMachine(machineFile, 'golden'), await catalogue(), 'golden');
  const built = buildMachine(plan);
  const machine = built.start();
  const workloads = processes.map((source, i) => ({ name: `process ${i + 1}`, source }));
  createProcesses(machine, workloads);
  await drive(machine, workloads);
  return counted(machine, built);
}

function counted(machine: Machine, built: BuiltMachine): Counted {
  const [cpu] = machine.view(statisticsKey).cpus;
  const numbers = new Map(built.dataPlane.counterNames.map((name, i) => [name, cpu?.counters[i] ?? 0]));
  const count = (name: string): number => numbers.get(name) ?? 0;
  return {
    count,
    sum: (stem, kinds) => [...kinds].reduce((total, kind) => total + count(`${stem}::${kind}`), 0),
    valid: built.dataPlane.validEntries(0),
    contextSwitches: cpu?.contextSwitches ?? 0,
  };
}

/** References that were read once and are given out again and again. */
export const fromBatches = (batches: readonly AccessBatch[]): BatchSource => {
  let next = 0;
  return { next: () => Promise.resolve(batches[next++]) };
};

/** Every `of`-th block of `references` references, beginning with block number `first`: one hand of a deal. */
export function dealt(
  batches: readonly AccessBatch[],
  references: number,
  first: number,
  of: number,
): AccessBatch[] {
  const hand: AccessBatch[] = [];
  let seen = 0;
  for (const batch of batches)
    for (let from = 0; from < batch.count;) {
      const block = Math.floor(seen / references);
      const to = Math.min(batch.count, from + references - (seen % references));
      if (block % of === first) hand.push(slice(batch, from, to));
      seen += to - from;
      from = to;
    }
  return hand;
}

function slice(batch: AccessBatch, from: number, to: number): AccessBatch {
  const part = accessBatch(to - from);
  part.count = to - from;
  copyAccesses(batch, from, to, part);
  return part;
}
