// @ts-check
import { currentBundle, openBundle } from './bundle.mjs';

/** Begins the command and its threads: from the bundle where there can be one, else from the sources (ADR 0010). */

/** @param {readonly string[]} args */
export async function runCommand(args) {
  const bundled = currentBundle(useOf(args[0]));
  if (bundled !== undefined)
    try {
      await bundled.module.main(args);
      return;
    } catch (error) {
      if (!(error instanceof bundled.module.SourcesNeeded)) throw error;
      bundled.forget();
    }
  const { main } = await fromSources('../main.ts');
  await main(args);
}

/**
 * A thread runs what the one that started it runs. The bundle is named by its folder.
 *
 * @param {string} name
 * @param {{ folder: string, use: string } | undefined} of
 */
export async function runThread(name, of) {
  const bundled = of === undefined ? undefined : openBundle(of.folder, of.use);
  const { THREADS } = bundled?.module ?? (await fromSources('../workers/threads.ts'));
  await THREADS[name]();
}

/** @param {string} file */
async function fromSources(file) {
  const { register } = await import('tsx/esm/api');
  register();
  return import(file);
}

/** Each verb has a code cache, of the functions that it calls. @param {string | undefined} verb */
const useOf = (verb) => (verb !== undefined && /^[a-z][a-z-]{0,30}$/.test(verb) ? verb : 'other');
