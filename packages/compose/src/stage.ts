import { ConfigError } from '@tablewalk/base';
import { newTrap } from '@tablewalk/contracts';
import type { CostPlugin, DataPlane, FactSchemas, MachineFacts, Slots } from '@tablewalk/contracts';
import { Fold, kernelComponents, Machine } from '@tablewalk/machine';
import type { MachineOptions, MachineParts, NamedComponent } from '@tablewalk/machine';
import type { Freedom, MachineStory, Models, ModelStory, Staged } from '@tablewalk/stories';
import { schemasOf } from './build.ts';
import type { Override } from './override.ts';
import type { EffectiveConfig, MachinePlan } from './plan.ts';
import { wirePlugins } from './wire.ts';
import type { WiredPlugin } from './wire.ts';

/** A story on its machine: for the explorer, and to be played as a history. */
export interface BuiltStory {
  readonly staged: Staged;
  readonly effective: EffectiveConfig;
  readonly schemas: FactSchemas;
  /** Id and version of every plugin. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly fold: () => Fold;
  /** A machine that plays it. Every choice comes from outside; the first, of one, sets the scene. */
  readonly start: (options?: MachineOptions) => Machine;
  /** The same with other programs or components: what a mutation makes of it. */
  readonly restaged: (staged: Staged) => BuiltStory;
}

/** What a history says of the story that it was played from. */
export interface PlayedStory {
  readonly id: string;
  readonly variant: string;
  /** Overrides as given: knobs of a model, paths of a machine file. */
  readonly set: Readonly<Record<string, unknown>>;
}

/** A story that states its own world. */
export function stageModel(
  story: ModelStory,
  variant: string,
  knobs: Readonly<Record<string, number>>,
): BuiltStory {
  const staged = story.build(variant, { ...story.knobs, ...knobs });
  const components = [...kernelComponents(staged.cpus, staged.play), ...staged.components];
  const played: PlayedStory = { id: story.id, variant, set: knobs };
  const effective: EffectiveConfig = {
    name: story.id,
    cpus: staged.cpus,
    memory: { ram: 0, base: 0 },
    seed: 1,
    slots: {},
    checkers: [],
    story: played,
  };
  return builtStory({ ...staged, components }, effective, {}, 1);
}

/** What is laid over a story's machine file: what every variant has, what this one has, and what the user says. */
export const storyOverrides = (
  { set: common = {}, setBy = {} }: MachineStory,
  variant: string,
  set: Readonly<Record<string, unknown>>,
): Override[] =>
  [common, setBy[variant] ?? {}, set].flatMap((overrides) =>
    Object.entries(overrides).map(([path, value]) => ({ path: path.split('.'), value })),
  );

/** A story on a machine file; the plan is the machine's with the story's and the user's overrides laid over it. */
export function stageOnMachine(
  story: MachineStory,
  variant: string,
  plan: MachinePlan,
  set: Readonly<Record<string, unknown>>,
): BuiltStory {
  const wired = wirePlugins(plan);
  const slots = Object.fromEntries(wired.map(({ name, plugin }) => [name, plugin])) as unknown as Slots;
  const models = modelsOf(slots, plan.machine, { ...story.freedom, ...story.freedomBy?.[variant] });
  const cast = story.build(slots, variant, plan.machine, models);
  const { cpus, seed } = plan.machine;
  const components = [
    ...kernelComponents(cpus, cast.play),
    ...wired.flatMap((plugin) => componentOf(plugin, models)),
    ...(cast.components ?? []),
  ];
  const programs = Object.fromEntries([
    ...wired.flatMap(({ name, plugin }) =>
      Object.entries(plugin.programs ?? {}).map(([program, run]) => [`${name}/${program}`, run] as const),
    ),
    ...Object.entries(cast.programs).map(([program, run]) => [`story/${program}`, run] as const),
  ]);
  const staged: Staged = {
    cpus,
    components,
    programs,
    play: cast.play,
    ...(cast.symmetries === undefined ? {} : { symmetries: cast.symmetries }),
    ...(cast.underTest === undefined ? {} : { underTest: cast.underTest }),
  };
  const plugins = Object.fromEntries(plan.plugins.map(({ manifest }) => [manifest.id, manifest.version]));
  const effective = { ...plan.effective, story: { id: story.id, variant, set } };
  return builtStory(staged, effective, plugins, seed, slots.cost);
}

function builtStory(
  staged: Staged,
  effective: EffectiveConfig,
  plugins: Readonly<Record<string, string>>,
  seed: number,
  cost: CostPlugin = FREE,
): BuiltStory {
  const { cpus, components, programs, play } = staged;
  const parts: MachineParts = {
    cpus,
    seed,
    components,
    programs,
    play,
    dataPlane: NO_DATA_PLANE,
    slots: { scheduler: FROM_OUTSIDE, cost, 'run-queue': NO_QUEUE },
  };
  return {
    staged,
    effective,
    schemas: schemasOf(components),
    plugins,
    fold: () => new Fold(components, cpus),
    start: (options = {}) => new Machine(parts, options),
    restaged: (other) => builtStory(other, effective, plugins, seed, cost),
  };
}

/** A plugin's component, or the architectural one in its place. */
function componentOf({ name, plugin }: WiredPlugin, models: Models): NamedComponent[] {
  const { [name as keyof Models]: model } = models as Partial<Models>;
  const component = model === undefined ? plugin.component : model.component;
  return component === undefined ? [] : [{ name, component }];
}

function modelsOf(slots: Slots, { cpus }: MachineFacts, freedom: Freedom): Models {
  const { tlb, cache, frames } = slots;
  const { walkSteps } = slots['page-table'];
  if (tlb.model === undefined || walkSteps === undefined) throw noFacet(tlb.model ? 'page-table' : 'tlb');
  if (cache.model === undefined) throw noFacet('cache');
  const { speculativeWalks = [], tlbEvictions = [], cacheEvictions = [], linesPerPage = 2 } = freedom;
  const { prefetches = [], allocationFailures: failures = 0 } = freedom;
  if (failures > 0 && frames.model === undefined) throw noFacet('frames');
  return {
    tlb: tlb.model({ cpus, walkSteps, speculativeWalks, evictions: tlbEvictions }),
    cache: cache.model({ cpus, linesPerPage, evictions: cacheEvictions, prefetches }),
    ...(frames.model === undefined ? {} : { frames: frames.model({ failures }) }),
  };
}

const noFacet = (slot: string): ConfigError =>
  new ConfigError('STORY_NEEDS_MODEL', {
    what: `the plugin of slot "${slot}" cannot be explored`,
    why: 'it has no architectural facet: it says what one geometry does, not what the architecture allows',
    fix: `choose another plugin for slot "${slot}"`,
    at: `#/slots/${slot}`,
  });

/** A play has no references: nothing runs in the data plane. */
export const NO_DATA_PLANE: DataPlane = {
  run: (_cpu, _context, _batch, _from, to) => to,
  trap: newTrap(),
  counterNames: [],
  takeCounters: () => [],
  outcomeWord: () => 0,
  apply() {},
  validEntries: () => ({}),
  digest: () => '',
};
const FROM_OUTSIDE: Slots['scheduler'] = { choose: () => undefined, budget: () => 1 };
const NO_QUEUE: Slots['run-queue'] = { programs: {}, remaining: () => 0, waiting: () => false };
const FREE: CostPlugin = {
  cyclesOf: () => 0,
  weights: (names) => new Float64Array(names.length),
  ipiDeliveryCycles: 0,
};
