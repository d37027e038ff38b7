import { ConfigError, nearestName } from '@tablewalk/base';
import {
  applyOverrides,
  NO_DATA_PLANE,
  parseMachine,
  planMachine,
  stageModel,
  stageOnMachine,
} from '@tablewalk/compose';
import type { BuiltMachine, BuiltStory, EffectiveConfig, MachinePlan, Override } from '@tablewalk/compose';
import { variantOf } from '@tablewalk/stories';
import type { ModelStory, Overrides, Story } from '@tablewalk/stories';
import { readFileSync } from 'node:fs';
import { catalogueFor } from './catalogue.ts';
import { findMachineFile, parseOverride, pluginUses, readYaml } from './machine-file.ts';
import { findStory } from './story-file.ts';

/** What `explore` is asked for: a story in one of its variants, with the user's overrides. */
export interface StoryChoice {
  readonly story: Story;
  readonly variant: string;
  readonly set: Overrides;
}

/** `--set` as a story takes it: numbers of a model by name, keys of a machine file by path. */
export function overridesFor(story: Story, set: readonly string[]): Overrides {
  const overrides = set.map(parseOverride);
  if (story.kind === 'model') for (const override of overrides) refuseKnob(story, override);
  return Object.fromEntries(overrides.map(({ path, value }) => [path.join('.'), value]));
}

function refuseKnob({ id, knobs = {} }: ModelStory, { path, value }: Override): void {
  const name = path.join('.');
  if (!Object.hasOwn(knobs, name)) {
    const near = nearestName(name, Object.keys(knobs));
    throw new ConfigError('KNOB_UNKNOWN', {
      what: `the story ${id} has no knob "${name}"`,
      why: knobsText(knobs),
      fix: near === undefined ? 'take it out' : `did you mean "${near}"?`,
      at: '--set',
    });
  }
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new ConfigError('KNOB_INVALID', {
      what: `--set ${name}=${JSON.stringify(value)} is no natural number`,
      why: `${knobsText(knobs)}; they count things`,
      fix: `write --set ${name}=${knobs[name]}`,
      at: '--set',
    });
}

const knobsText = (knobs: Readonly<Record<string, number>>): string => {
  const named = Object.entries(knobs).map(([name, preset]) => `${name} (default ${preset})`);
  return named.length === 0 ? 'it has none' : `its knobs are: ${named.join(', ')}`;
};

/** Builds the story's world: its own, or the machine file's with the story's and the user's overrides. */
export async function stage({ story, variant, set }: StoryChoice): Promise<BuiltStory> {
  if (story.kind === 'model') return stageModel(story, variant, set as Readonly<Record<string, number>>);
  const at = findMachineFile(story.machine);
  const overrides = [story.set ?? {}, story.setBy?.[variant] ?? {}, set].flatMap(overridesOf);
  const file = applyOverrides(readYaml(readFileSync(at, 'utf8'), at), overrides);
  return stageOnMachine(story, variant, await planOf(file, at), set);
}

const overridesOf = (set: Overrides): Override[] =>
  Object.entries(set).map(([path, value]) => ({ path: path.split('.'), value }));

/** Loads what a recorded config names; afterwards its machine is built at will. */
export async function restage(config: EffectiveConfig, at: string): Promise<() => BuiltStory> {
  const { story: played, ...machine } = config;
  if (played === undefined) throw new TypeError('the history was not played from a story');
  const story = await findStory(played.id);
  const variant = variantOf(story, played.variant);
  if (story.kind === 'model')
    return () => stageModel(story, variant, played.set as Readonly<Record<string, number>>);
  const plan = await planOf(machine, at);
  return () => stageOnMachine(story, variant, plan, played.set);
}

async function planOf(file: unknown, at: string): Promise<MachinePlan> {
  const machine = parseMachine(file, at);
  return planMachine(machine, await catalogueFor(pluginUses(machine), at), at);
}

/** A story as what histories are recorded from and travelled with. Nothing in it runs references. */
export const asMachine = (built: BuiltStory): BuiltMachine => ({
  ...built,
  components: built.staged.components,
  programs: built.staged.programs,
  dataPlane: NO_DATA_PLANE,
  restore() {},
  walker: { walk() {}, permissionStatus: () => 0 },
  vaBits: 0,
  taskSize: 0,
  script: [],
});
