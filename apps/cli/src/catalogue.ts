import { ConfigError } from '@tablewalk/base';
import { DEFAULT_PLUGINS } from '@tablewalk/compose';
import type { Catalogue, PluginUse } from '@tablewalk/compose';
import { SLOTS } from '@tablewalk/contracts';
import type { Manifest } from '@tablewalk/contracts';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pluginsFolder } from './install.ts';
import { loadForeign, loadPlugin, SourcesNeeded } from './launch/loading.ts';

/** Ids of the plugins of this installation. A plugin is a folder; nothing else lists it. */
export const builtInIds = (): string[] =>
  readdirSync(pluginsFolder)
    .filter((id) => existsSync(sourceOf(id)))
    .sort();

const sourceOf = (id: string): string => join(pluginsFolder, id, 'src', 'index.ts');

/** All of them, loaded. */
export async function builtInPlugins(): Promise<Map<string, Manifest>> {
  const ids = builtInIds();
  const manifests = await Promise.all(ids.map(loadBuiltIn));
  return new Map(ids.map((id, i) => [id, manifests[i] as Manifest]));
}

/**
 * Loads what a machine names, the default of every slot that it leaves out, and the companions of all of these.
 * `at` is the machine file.
 */
export async function catalogueFor(uses: Iterable<PluginUse>, at: string): Promise<Catalogue> {
  const ids = builtInIds();
  const names = new Set([...uses].map((use) => (typeof use === 'string' ? use : use.use)));
  for (const preset of Object.values(DEFAULT_PLUGINS)) names.add(preset);
  const loaded = new Map<string, Manifest>();
  // A set is walked to its end, with what is added on the way.
  for (const name of names) {
    const manifest = ids.includes(name) ? await loadBuiltIn(name) : await loadNamed(name, at);
    if (manifest === undefined) continue;
    loaded.set(name, manifest);
    for (const companion of Object.values(manifest.companions ?? {})) names.add(companion);
  }
  return { get: (name) => loaded.get(name), idsOf: (slot) => ids.filter((id) => slotOf(id) === slot) };
}

/** `<slot>-<policy>`: the longest slot that the id begins with. */
const slotOf = (id: string): string | undefined =>
  Object.keys(SLOTS)
    .filter((slot) => id.startsWith(`${slot}-`))
    .sort((a, b) => b.length - a.length)[0];

/** A path is taken from the folder of the machine file; a scoped or exported name is a package. */
function fileOf(name: string, at: string): string | undefined {
  if (name.startsWith('.') || isAbsolute(name)) {
    const file = resolve(dirname(at), name);
    if (existsSync(file)) return file;
    throw new ConfigError('PLUGIN_FILE_MISSING', {
      what: `there is no plugin file ${name}`,
      why: `it would be ${file}: paths are taken from the folder of the machine file`,
      fix: 'correct the path',
      at,
    });
  }
  const packageFolder = join(process.cwd(), 'node_modules', name);
  return existsSync(packageFolder) ? packageFolder : undefined;
}

const loadBuiltIn = (id: string): Promise<Manifest> =>
  manifestOf(loadPlugin(id, sourceOf(id)), id, sourceOf(id));

async function loadNamed(name: string, at: string): Promise<Manifest | undefined> {
  const file = fileOf(name, at);
  if (file === undefined) return undefined;
  return manifestOf(loadForeign(file.includes('.') ? pathToFileURL(file).href : name), name, file);
}

async function manifestOf(loading: Promise<object>, name: string, file: string): Promise<Manifest> {
  let loaded: { default?: unknown; manifest?: unknown };
  try {
    loaded = (await loading) as typeof loaded;
  } catch (error) {
    if (error instanceof SourcesNeeded) throw error;
    throw new ConfigError('PLUGIN_UNLOADABLE', {
      what: `the plugin ${name} cannot be loaded`,
      why: error instanceof Error ? error.message : String(error),
      fix: 'the file must be an ES module (TypeScript or JavaScript) whose imports can be found',
      at: file,
    });
  }
  const manifest = loaded.default ?? loaded.manifest;
  const problem = manifestProblem(manifest);
  if (problem === undefined) return manifest as Manifest;
  throw new ConfigError('PLUGIN_NO_MANIFEST', {
    what: `the plugin ${name} exports no manifest`,
    why: problem,
    fix: 'export default defineManifest({ id, slot, version, summary, source, requires, config, create })',
    at: file,
  });
}

function manifestProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'its default export is no object';
  const fields = value as Record<string, unknown>;
  for (const [field, type] of Object.entries({
    id: 'string',
    slot: 'string',
    version: 'string',
    create: 'function',
  }))
    if (typeof fields[field] !== type)
      return `"${field}" is ${fields[field] === undefined ? 'missing' : 'of a wrong type'}`;
  if (!Array.isArray(fields['requires'])) return '"requires" is no list';
  if (typeof (fields['config'] as { safeParse?: unknown } | undefined)?.safeParse !== 'function')
    return '"config" is no zod schema';
  return undefined;
}
