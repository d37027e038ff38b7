import { tableEntries } from '@tablewalk/base';
import { kernelFacts, vocabularyFacts } from '@tablewalk/contracts';
import type { DataPlane, FactSchemas, MemoryState, Programs, Walker } from '@tablewalk/contracts';
import { Fold, kernelComponents, Machine } from '@tablewalk/machine';
import type { MachineOptions, NamedComponent, Standstill, World } from '@tablewalk/machine';
import { BatchRunner, PhysicalWords } from '@tablewalk/trace';
import type { EffectiveConfig, MachinePlan } from './plan.ts';
import { pluginOf, wirePlugins } from './wire.ts';
import type { WiredPlugin } from './wire.ts';

/** A machine's parts, ready to run, replay or branch. */
export interface BuiltMachine {
  readonly effective: EffectiveConfig;
  readonly components: readonly NamedComponent[];
  readonly schemas: FactSchemas;
  readonly programs: Programs;
  readonly dataPlane: DataPlane;
  /** Bits of virtual address that the page-table format translates. */
  readonly vaBits: number;
  /** First address that is not a process's own. */
  readonly taskSize: number;
  /** What a scripted scheduler answers, by number of the choice. */
  readonly script: readonly number[];
  /** Id and version of every plugin. */
  readonly plugins: Readonly<Record<string, string>>;
  /** Gives fresh arenas the words of a world's memory, and what a checkpoint of arenas says. */
  restore(from: Pick<Standstill, 'world' | 'image'>): void;
  /** Walks page tables in the words that the arenas have. */
  readonly walker: Walker;
  /** The way from facts to worlds. */
  fold(): Fold;
  /** Sets the machine going, on arenas of its own or on those of a machine that it goes on from. */
  start(options?: MachineOptions, arenas?: DataPlane): Machine;
}

export function buildMachine(plan: MachinePlan): BuiltMachine {
  const { cpus, seed } = plan.machine;
  const wired = wirePlugins(plan);
  const components = [...kernelComponents(cpus), ...componentsOf(wired)];
  const programs = programsOf(wired);
  const words = new PhysicalWords();
  const pageTable = pluginOf(wired, 'page-table');
  const tlb = pluginOf(wired, 'tlb').engine(pageTable.walker(words));
  const dataPlane = new BatchRunner(tlb, pluginOf(wired, 'cache').engine(), words, cpus);
  const restore = ({ world, image }: Pick<Standstill, 'world' | 'image'>): void => {
    remember(words, world);
    if (image !== undefined) dataPlane.load(image);
  };
  const scheduler = pluginOf(wired, 'scheduler');
  const slots = { scheduler, cost: pluginOf(wired, 'cost'), 'run-queue': pluginOf(wired, 'run-queue') };
  return {
    effective: plan.effective,
    components,
    schemas: schemasOf(components),
    programs,
    dataPlane,
    vaBits: pageTable.vaBits,
    taskSize: pageTable.taskSize,
    script: scheduler.script ?? [],
    plugins: Object.fromEntries(plan.plugins.map(({ manifest }) => [manifest.id, manifest.version])),
    restore,
    walker: pageTable.walker(words),
    fold: () => new Fold(components, cpus),
    start(options = {}, arenas = dataPlane) {
      if (options.from !== undefined && arenas === dataPlane) restore(options.from);
      return new Machine({ cpus, seed, components, programs, slots, dataPlane: arenas }, options);
    },
  };
}

const componentsOf = (wired: readonly WiredPlugin[]): NamedComponent[] =>
  wired.flatMap(({ name, plugin }) =>
    plugin.component === undefined ? [] : [{ name, component: plugin.component }],
  );

const programsOf = (wired: readonly WiredPlugin[]): Programs =>
  Object.fromEntries(
    wired.flatMap(({ name, plugin }) =>
      Object.entries(plugin.programs ?? {}).map(([program, run]) => [`${name}/${program}`, run] as const),
    ),
  );

/** All fact schemas of a machine: the kernel's, the common vocabulary, and what plugins declare. */
export function schemasOf(components: readonly NamedComponent[]): FactSchemas {
  return Object.assign(
    {},
    kernelFacts,
    vocabularyFacts,
    ...components.map(({ component }) => component.facts ?? {}),
  ) as FactSchemas;
}

/** The words of a world's memory, for fresh arenas. */
function remember(words: PhysicalWords, world: World): void {
  for (const [word, value] of tableEntries(world.slices['memory'] as MemoryState))
    words.write32(word * 4, value);
}
