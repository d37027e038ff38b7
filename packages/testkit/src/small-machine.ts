import { assert, CodedError, present } from '@tablewalk/base';
import { buildMachine, DEFAULT_PLUGINS, parseMachine, planMachine } from '@tablewalk/compose';
import type { BuiltMachine, Catalogue, MachinePlan, PluginUse } from '@tablewalk/compose';
import type {
  CheckerPlugin,
  Manifest,
  Plugin,
  SlotName,
  Slots,
  TlbEngine,
  TlbPlugin,
  WordReader,
} from '@tablewalk/contracts';
import type { PageTablePlugin } from '@tablewalk/contracts';
import { catalogueWith } from './installation.ts';

/** A machine for tests, as a machine file would say it. What is left out is small, or the default. */
export interface SmallMachine {
  readonly cpus?: number;
  readonly ram?: string;
  readonly seed?: number;
  readonly slots?: Readonly<Partial<Record<Exclude<SlotName, 'checker'>, PluginUse>>>;
  readonly checkers?: readonly PluginUse[];
  /** Plugins that stand in their own slots, installed or not. */
  readonly use?: readonly Manifest[];
  /** Plugins that `slots` may name beside the installed ones. */
  readonly known?: readonly Manifest[];
  /** How a lab folds: immutable worlds are slower, and crash whoever writes them. */
  readonly folding?: 'direct' | 'immutable';
}

/** A machine with its parts in reach: what compose hides because nothing but a test should ask for it. */
export interface OpenMachine {
  readonly built: BuiltMachine;
  readonly plan: MachinePlan;
  readonly slots: Omit<Slots, 'checker'>;
  readonly checkers: ReadonlyMap<string, CheckerPlugin>;
  readonly tlbEngine: TlbEngine;
  /** The physical memory that the table walker of the data plane reads. */
  readonly memory: WordReader;
}

/** Room for four first-level tables, and little enough that a few dozen pages each bring reclaim about. */
export const SMALL_RAM = '512KiB';

export function planSmall(machine: SmallMachine): MachinePlan {
  return planMachine(parseMachine(machineFile(machine), 'test'), catalogueOf(machine), 'test');
}

export function openMachine(machine: SmallMachine): OpenMachine {
  const capture = new Capture();
  const plan = planMachine(
    parseMachine(machineFile(machine), 'test'),
    capture.around(catalogueOf(machine)),
    'test',
  );
  const built = buildMachine(plan);
  return {
    built,
    plan,
    slots: capture.slots as unknown as Slots,
    checkers: capture.checkers,
    tlbEngine: present(capture.tlbEngine, 'TLB engine'),
    memory: present(capture.memory, 'memory of the walker'),
  };
}

const catalogueOf = ({ use = [], known = [] }: SmallMachine): Catalogue => catalogueWith([...known, ...use]);

function machineFile({
  cpus = 2,
  ram = SMALL_RAM,
  seed = 1,
  slots = {},
  checkers = [],
  use = [],
}: SmallMachine): unknown {
  const inTheirSlots = use
    .filter(({ slot }) => slot !== 'checker')
    .map(({ id, slot }) => [slot, id] as const);
  const alsoCheckers = use.filter(({ slot }) => slot === 'checker').map(({ id }) => id);
  return {
    cpus,
    memory: { ram },
    seed,
    slots: { ...slots, ...Object.fromEntries(inTheirSlots) },
    checkers: [...checkers, ...alsoCheckers],
  };
}

/** Lets every manifest create as ever, and remembers what it created. */
class Capture {
  readonly slots: Record<string, Plugin> = {};
  readonly checkers = new Map<string, CheckerPlugin>();
  tlbEngine: TlbEngine | undefined;
  memory: WordReader | undefined;

  around(catalogue: Catalogue): Catalogue {
    return {
      idsOf: (slot) => catalogue.idsOf(slot),
      get: (id) => {
        const manifest = catalogue.get(id);
        return manifest === undefined ? undefined : this.watching(manifest);
      },
    };
  }

  private watching(manifest: Manifest): Manifest {
    const { id, slot } = manifest;
    return {
      ...manifest,
      create: (config, deps, machine) => {
        const plugin = this.open(slot, manifest.create(config, deps, machine) as Plugin);
        if (slot === 'checker') this.checkers.set(id, plugin as CheckerPlugin);
        else this.slots[slot] = plugin;
        return plugin as Slots[SlotName];
      },
    };
  }

  /** The two plugins that make something for the data plane answer as ever; we keep a hand on what they make. */
  private open(slot: SlotName, plugin: Plugin): Plugin {
    if (slot === 'tlb') {
      const engine: TlbPlugin['engine'] = (walker) => (this.tlbEngine = (plugin as TlbPlugin).engine(walker));
      return Object.create(plugin, { engine: { value: engine } }) as Plugin;
    }
    if (slot === 'page-table') {
      const walker: PageTablePlugin['walker'] = (memory) => {
        this.memory ??= memory;
        return (plugin as PageTablePlugin).walker(memory);
      };
      return Object.create(plugin, { walker: { value: walker } }) as Plugin;
    }
    return plugin;
  }
}

/** Processes wander over the CPUs, so that each leaves translations behind on all of them. */
export const SHORT_SLICES = { 'run-queue': { use: DEFAULT_PLUGINS['run-queue'], slice: 40 } } as const;

/**
 * A machine in which a plugin can stand: two CPUs if it will have them, else one; the default plugins
 * around it, or where it needs a facet that a default lacks, the first installed plugin that has it.
 */
export function machineAround(manifest: Manifest): SmallMachine {
  const neighbours = (manifest.needs ?? []).flatMap(({ slot, facet }) => {
    const neighbour = neighbourWith(slot, facet);
    return neighbour === undefined ? [] : [[slot, neighbour] as const];
  });
  // Slots that a machine leaves empty unless it is told otherwise, or a neighbour brings its companion.
  const { companions = {} } = catalogueWith([]).get(DEFAULT_PLUGINS['page-table']) ?? {};
  const unfilled = manifest.requires
    .filter((slot) => DEFAULT_PLUGINS[slot] === 'none' && !(slot in companions))
    .map((slot) => [slot, catalogueWith([]).idsOf(slot)[0]] as const);
  const slots = { ...SHORT_SLICES, ...Object.fromEntries([...unfilled, ...neighbours]) };
  for (const cpus of [2, 1]) {
    const machine: SmallMachine = { cpus, slots, use: [manifest] };
    try {
      planSmall(machine);
      return machine;
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'PLUGIN_REFUSES' || cpus === 1) throw error;
    }
  }
  throw new Error('not reached: the loop returns or throws');
}

function neighbourWith(slot: SlotName, facet: string): string | undefined {
  assert(slot !== 'checker', 'checkers cannot be needed');
  const catalogue = catalogueWith([]);
  const has = (id: string): boolean => catalogue.get(id)?.facets?.includes(facet) === true;
  return [DEFAULT_PLUGINS[slot], ...catalogue.idsOf(slot)].find(has);
}

/** A plugin in its slot with these knobs, to be spread into a machine. */
export function inSlot(manifest: Manifest, knobs: Knobs): Pick<SmallMachine, 'slots' | 'known'> {
  return { slots: { [manifest.slot]: { use: manifest.id, ...knobs } }, known: [manifest] };
}
export type Knobs = Readonly<Record<string, unknown>>;
