import { DEFAULT_PLUGINS } from '@tablewalk/compose';
import type { Fact, Manifest } from '@tablewalk/contracts';
import { kernelComponents } from '@tablewalk/machine';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { branchSuite, PRESSING_WORK } from './branch-suite.ts';
import { componentSuite, PLAUSIBLE_MMS } from './component-suite.ts';
import { installedPlugins } from './installation.ts';
import { runSmall } from './run-small.ts';
import { machineAround, openMachine } from './small-machine.ts';

/**
 * The property that holds replay together, over every plugin there is: the folders are looked through,
 * no list is kept. For each plugin: `evolve` means the same both ways, on random facts and on those of a
 * machine; and a machine that is taken apart and put together again between two steps goes on alike.
 */
const pluginsFolder = join(dirname(fileURLToPath(import.meta.url)), '../../../plugins');

describe('plugins', () => {
  it('are all found by their folders', () => {
    const folders = readdirSync(pluginsFolder, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect([...installedPlugins.keys()]).toEqual(folders.map(({ name }) => name).sort());
  });

  for (const [id, manifest] of installedPlugins)
    describe(id, () => {
      const machine = machineAround(manifest);
      const { built } = openMachine(machine);
      const slice = manifest.slot === 'checker' ? id : manifest.slot;
      const own = built.components.find(({ name }) => name === slice);
      if (own !== undefined) componentSuite({ ...own, schemas: built.schemas, cpus: machine.cpus ?? 1 });
      branchSuite(machine, slice);
    });
});

describe('the work that every plugin is run on', () => {
  it('brings about what could go wrong: interrupts, reclaim, failed allocations, exits', () => {
    const { facts } = runSmall(
      openMachine(machineAround(installedPlugins.get(DEFAULT_PLUGINS['mmu-gather']) as Manifest)).built,
      PRESSING_WORK,
    );
    const types = new Set(facts.map(({ fact }) => fact.type));
    for (const type of [
      'IpiDelivered',
      'PageReclaimed',
      'PteYoungCleared',
      'AllocationFailed',
      'ProcessExited',
    ])
      expect(types).toContain(type);
  });
});

describe("the kernel's own components", () => {
  const cpus = 2;
  const { schemas } = openMachine({ cpus }).built;
  for (const named of kernelComponents(cpus)) {
    const prologue = muchIsPossible(cpus).filter(({ type }) => named.component.evolvesOn.includes(type));
    componentSuite({ ...named, schemas, cpus, prologue, refuses: true });
  }
});

/** Processes that live, threads on every CPU, IPIs on their way. */
function muchIsPossible(cpus: number): Fact[] {
  const facts: unknown[] = [];
  for (let mm = 1; mm < PLAUSIBLE_MMS; mm++)
    facts.push({ type: 'ProcessCreated', mm, name: `process ${mm}` });
  for (let i = 0; i < 8 * cpus; i++)
    facts.push({
      type: 'ThreadStarted',
      cpu: i % cpus,
      program: 'mm/fault',
      args: [1, 4096],
      irq: i >= 4 * cpus,
    });
  for (let id = 0; id < 6; id++)
    facts.push({ type: 'IpiSent', id, from: 0, to: id % cpus, program: 'x', args: [id] });
  return facts as Fact[];
}
