import { present } from '@tablewalk/base';
import {
  applyOverrides,
  parseMachine,
  planMachine,
  stageModel,
  stageOnMachine,
  storyOverrides,
} from '@tablewalk/compose';
import type { BuiltStory } from '@tablewalk/compose';
import type { Overrides, Story } from '@tablewalk/stories';
import { parse } from 'yaml';
import { catalogueWith } from './installation.ts';

/** The machine files that come with Tablewalk, as text by path. */
const machineFiles = import.meta.glob<string>('../../../machines/*.yaml', {
  eager: true,
  query: '?raw',
  import: 'default',
});

/** A story as `explore` stages it: a model with its knobs, or a machine file with overrides laid over it. */
export function staged(story: Story, variant: string, set: Overrides = {}): BuiltStory {
  if (story.kind === 'model') return stageModel(story, variant, set as Readonly<Record<string, number>>);
  const path = Object.keys(machineFiles).find((file) => file.endsWith(`/${story.machine}.yaml`));
  const text = machineFiles[present(path, `machine ${story.machine}`)];
  const file = applyOverrides(parse(text as string), storyOverrides(story, variant, set));
  const plan = planMachine(parseMachine(file, story.machine), catalogueWith([]), story.machine);
  return stageOnMachine(story, variant, plan, set);
}
