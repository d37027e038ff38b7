// @ts-check
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { evaluate } from './evaluate.mjs';

/**
 * The command, its threads and the plugins that come with it as one script, kept below node_modules/.cache. It is made
 * when it is not there or a file that went into it is another: nobody has to build, and nothing is stale.
 */

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/tablewalk');
const current = join(cache, 'current.json');
const require = createRequire(join(root, 'package.json'));

/** Of this file's idea of what lies in the cache. */
const FORMAT = 1;
const SCRIPT = 'command.cjs';
/** A process that has just begun may still want the bundle before this one. */
const KEPT = 8;
/** File times may be behind the clock by as much as a tick of the system's timer. */
const TICK_MS = 20;

/** Packages that stay outside of the script: they look for files beside themselves. */
const OUTSIDE = ['@foxglove/wasm-zstd', 'esbuild', 'tsx', 'xz-decompress'];

/** What is not imported and still decides how the script comes out. The last is npm's: it tells of every package. */
const SETTINGS = ['package.json', 'tsconfig.json', 'tsconfig.base.json', 'node_modules/.package-lock.json'];

/**
 * The bundle of the sources as they are now; undefined where none can be made or kept.
 *
 * @param {string} use a name for what the process does with it
 */
export function currentBundle(use) {
  try {
    const folder = freshFolder() ?? build();
    return folder === undefined ? undefined : openBundle(folder, use);
  } catch {
    // Whatever is wrong with a file that is needed, running it from its source says it better.
    return undefined;
  }
}

/**
 * A bundle that this or another thread found or made; undefined if it has been taken away since.
 *
 * @param {string} folder
 * @param {string} use
 */
export function openBundle(folder, use) {
  if (!existsSync(join(folder, SCRIPT))) return undefined;
  const { exports, forget } = evaluate(join(folder, SCRIPT), use, {
    require,
    installUrl: pathToFileURL(join(root, 'apps/cli/src/install.ts')).href,
  });
  exports.runningFrom({ folder, use, plugins: exports.plugins });
  return { module: exports, forget };
}

/** Where the bundle is that was made of the very files that are here now. */
function freshFolder() {
  if (!existsSync(current)) return undefined;
  const { format, folder, plugins, inputs } = JSON.parse(readFileSync(current, 'utf8'));
  if (format !== FORMAT || plugins !== pluginIds().join()) return undefined;
  const isAsItWas = ([file, stamp]) => stampOf(file) === stamp;
  return Object.entries(inputs).every(isAsItWas) && existsSync(join(folder, SCRIPT)) ? folder : undefined;
}

/** A change of contents changes the ctime, whatever a tool makes of the mtime. @param {string} file */
function stampOf(file) {
  const found = statSync(`${root}/${file}`, { throwIfNoEntry: false });
  return found === undefined ? 'missing' : `${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
}

const pluginIds = () =>
  readdirSync(join(root, 'plugins')).filter((id) => existsSync(join(root, 'plugins', id, 'src/index.ts')));

/** Makes a bundle and keeps it; undefined if a file was changed meanwhile. Throws where nothing can be kept. */
function build() {
  const folder = join(cache, `bundle-${Date.now().toString(36)}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const began = Date.now() - TICK_MS;
    const plugins = pluginIds();
    const { inputs } = bundleInto(join(folder, SCRIPT), plugins);
    const files = [...Object.keys(inputs).filter(isSource), ...SETTINGS, ...ownFiles(), ...packageFiles()];
    if (files.some((file) => (statSync(join(root, file), { throwIfNoEntry: false })?.ctimeMs ?? 0) >= began))
      throw new Error('a source was changed while the bundle was made');
    const stamps = Object.fromEntries(files.map((file) => [file, stampOf(file)]));
    const note = join(folder, 'current.json');
    writeFileSync(note, JSON.stringify({ format: FORMAT, folder, plugins: plugins.join(), inputs: stamps }));
    // Whoever reads it has either the note before or this one, and either names a whole bundle.
    renameSync(note, current);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  prune(folder);
  return folder;
}

/** @param {string} outfile @param {readonly string[]} plugins */
function bundleInto(outfile, plugins) {
  return require('esbuild').buildSync({
    absWorkingDir: root,
    stdin: { contents: entryOf(plugins), resolveDir: root, sourcefile: '(entry)', loader: 'ts' },
    outfile,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // V8 forgets how a script from its cache would import; require() takes both kinds of module.
    supported: { 'dynamic-import': false },
    external: OUTSIDE,
    // Only install.ts asks where it is; everything else asks install.ts.
    define: { 'import.meta.url': 'installUrl' },
    banner: { js: '(function (require, module, exports, installUrl) {' },
    footer: { js: '})' },
    // Without comments the script is plain ASCII, which V8 keeps in half the space.
    minifyWhitespace: true,
    legalComments: 'none',
    lineLimit: 200,
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    logLevel: 'silent',
  }).metafile;
}

/** No import() inside: a module that is loaded late is wrapped, and with it all that it imports. */
function entryOf(plugins) {
  const imports = plugins.map((id, i) => `import * as plugin${i} from './plugins/${id}/src/index.ts';`);
  const entries = plugins.map((id, i) => `${JSON.stringify(id)}: plugin${i},`);
  return `
    export { main } from './apps/cli/src/main.ts';
    export { THREADS } from './apps/cli/src/workers/threads.ts';
    export { runningFrom, SourcesNeeded } from './apps/cli/src/launch/loading.ts';
    ${imports.join('\n')}
    export const plugins = { ${entries.join('\n')} };`;
}

/** Packages change by npm only, which leaves a note; a look at each of their files takes longer than the rest. */
const isSource = (input) => input !== '(entry)' && !input.startsWith('node_modules/');

const ownFiles = () =>
  readdirSync(join(root, 'apps/cli/src/launch'))
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => `apps/cli/src/launch/${file}`);

const packageFiles = () => readdirSync(join(root, 'packages')).map((name) => `packages/${name}/package.json`);

/** Takes away what nobody will want any more. @param {string} newest */
function prune(newest) {
  const folders = readdirSync(cache)
    .filter((name) => name.startsWith('bundle-'))
    .map((name) => join(cache, name))
    .filter((folder) => folder !== newest);
  const madeAt = (folder) => statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  folders.sort((a, b) => madeAt(b) - madeAt(a));
  for (const folder of folders.slice(KEPT - 1)) rmSync(folder, { recursive: true, force: true });
}
