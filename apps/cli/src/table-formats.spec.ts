import { join } from 'node:path';
import type { Fact, RecordedFact } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { createProcesses, drive } from './drive.ts';
import { repositoryRoot } from './install.ts';
import { buildFrom, readMachineFile } from './machine-file.ts';
import { TraceFile } from './trace-file.ts';

const TRACES = ['true', 'ls'].map((name) => join(repositoryRoot, `machines/traces/${name}.lk.gz`));

interface Touched {
  /** `mm va` of every page that an entry was set for, and of every fault that was handled. */
  readonly set: readonly string[];
  readonly handled: readonly string[];
  readonly violations: number;
}

async function touched(machineName: string, set: readonly string[]): Promise<Touched> {
  const { config, at } = readMachineFile(machineName, { set });
  const pages = { PteSet: new Set<string>(), FaultHandled: new Set<string>() };
  let violations = 0;
  const recorder = {
    stimulus: () => undefined,
    fact({ fact }: RecordedFact): void {
      const { type, mm, va } = fact as Fact & { mm: number; va: number };
      if (type === 'PteSet' || type === 'FaultHandled') pages[type].add(`${mm} ${va.toString(16)}`);
      if (type === 'PropertyViolated') violations += 1;
    },
  };
  const machine = (await buildFrom(config, at)).start({ recorder });
  const workloads = TRACES.map((path) => ({ name: path, source: new TraceFile(path) }));
  createProcesses(machine, workloads);
  expect((await drive(machine, workloads)).kind).toBe('finished');
  machine.close();
  return { set: [...pages.PteSet].sort(), handled: [...pages.FaultHandled].sort(), violations };
}

/** What a process touches is a matter of its references, and not of how its tables are encoded. */
describe('the same traces on machines of both formats', () => {
  it('touch the same pages', async () => {
    const machines: readonly (readonly [string, readonly string[]])[] = [
      ['cortex-a9-smp', []],
      ['cortex-a9-smp', ['slots.page-table=page-table-arm-lpae']],
      ['cortex-a15-smp', []],
      ['arm926-up', []],
    ];
    const runs = await Promise.all(machines.map(([name, set]) => touched(name, set)));
    expect(runs[0]?.set.length).toBeGreaterThan(150);
    for (const run of runs) {
      expect(run).toEqual(runs[0]);
      expect(run.violations).toBe(0);
    }
  });
});
