import { ConfigError } from '@tablewalk/base';
import { storyOf } from '@tablewalk/stories';
import type { Story } from '@tablewalk/stories';
import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadForeign, SourcesNeeded } from './launch/loading.ts';

/** A story that comes with Tablewalk, by id, or somebody's own: the path of a file whose default export it is. */
export async function findStory(name: string): Promise<Story> {
  if (!name.startsWith('.') && !isAbsolute(name)) return storyOf(name);
  const file = resolve(name);
  if (!existsSync(file))
    throw new ConfigError('STORY_FILE_MISSING', {
      what: `there is no story file ${name}`,
      why: 'a name that begins with "." or "/" is a path, taken from where the command runs',
      fix: 'correct the path, or name a story of "tablewalk stories list"',
    });
  let loaded: { default?: unknown };
  try {
    loaded = (await loadForeign(pathToFileURL(file).href)) as typeof loaded;
  } catch (error) {
    if (error instanceof SourcesNeeded) throw error;
    throw new ConfigError('STORY_UNLOADABLE', {
      what: `the story ${name} cannot be loaded`,
      why: error instanceof Error ? error.message : String(error),
      fix: 'the file must be an ES module (TypeScript or JavaScript) whose imports can be found',
      at: name,
    });
  }
  const problem = storyProblem(loaded.default);
  // What is recorded of it is the path: whoever opens the history must find it again.
  if (problem === undefined) return { ...(loaded.default as Story), id: name };
  throw new ConfigError('STORY_UNLOADABLE', {
    what: `the file ${name} exports no story`,
    why: problem,
    fix: 'export default a ModelStory or a MachineStory (packages/stories/README.md)',
    at: name,
  });
}

function storyProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'its default export is no object';
  const { kind, id, build, variants, machine } = value as Record<string, unknown>;
  if (kind !== 'model' && kind !== 'machine') return '"kind" is neither "model" nor "machine"';
  if (typeof id !== 'string') return '"id" is no text';
  if (typeof build !== 'function') return '"build" is no function';
  if (typeof variants !== 'object' || variants === null) return '"variants" is missing';
  return kind === 'machine' && typeof machine !== 'string' ? '"machine" names no machine file' : undefined;
}
