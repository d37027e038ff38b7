import { pathToFileURL } from 'node:url';

/** The command as one script, with what it holds besides the command itself (ADR 0010). */
export interface Bundle {
  /** Where the script lies: threads run the same one. */
  readonly folder: string;
  /** What the process does with it; a name for V8's code cache. */
  readonly use: string;
  /** Modules of the plugins that come with Tablewalk, by id. */
  readonly plugins: Readonly<Record<string, object>>;
}

/** None where the command runs from its sources. */
let bundle: Bundle | undefined;

/** Said by the launcher, before anything else. */
export function runningFrom(launched: Bundle): void {
  bundle = launched;
}

export const runningBundle = (): Bundle | undefined => bundle;

/**
 * A module that is not in the bundle is wanted. Only sources can share modules with it, so the launcher begins the
 * command line again from those. Whoever loads such a module does so before anything is printed or written.
 */
export class SourcesNeeded extends Error {
  override readonly name = 'SourcesNeeded';
}

/** The module of a plugin that comes with Tablewalk. */
export async function loadPlugin(id: string, file: string): Promise<object> {
  return bundle?.plugins[id] ?? loadForeign(pathToFileURL(file).href);
}

/** Somebody's own module, by its address or the name of its package. */
export async function loadForeign(specifier: string): Promise<object> {
  if (bundle !== undefined) throw new SourcesNeeded(`${specifier} is not in the bundle`);
  return (await import(specifier)) as object;
}
