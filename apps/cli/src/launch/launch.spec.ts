import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../install.ts';

/** The real launcher, in an installation that is small enough to be made anew for every test. */
let home: string;

const MAIN = `import { once } from 'node:events';
import { token } from './token.ts';
import { loadForeign, loadPlugin, runningBundle } from './launch/loading.ts';
import { startThread } from './workers/start.ts';

export async function main(args: readonly string[]): Promise<void> {
  const from = () => (runningBundle() === undefined ? 'sources' : 'bundle');
  if (args[0] === 'stack') throw new RangeError('on purpose');
  if (args[0] === 'thread') {
    const [said] = await once(startThread('explore', {}), 'message');
    console.log(said, from());
    return;
  }
  if (args[0] === 'much') {
    setInterval(() => undefined, 1000);
    console.log('x'.repeat(2 ** 19));
    return;
  }
  const load = args[0] === 'foreign' ? loadForeign(args[1]) : loadPlugin('a-plugin', args[1]);
  const { seen, says } = (await load) as { seen: unknown; says: string };
  console.log(says, seen === token ? 'shared' : 'another copy', from());
}
`;
const THREADS = `import { parentPort } from 'node:worker_threads';
import { runningBundle } from '../launch/loading.ts';
export const THREADS = {
  explore: () => parentPort.postMessage(runningBundle() === undefined ? 'sources' : 'bundle'),
};
`;
const plugin = (says: string, token: string): string =>
  `export { token as seen } from '${token}';\nexport const says: string = '${says}';\n`;

function write(file: string, text: string): void {
  mkdirSync(dirname(join(home, file)), { recursive: true });
  writeFileSync(join(home, file), text);
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tablewalk-launch-'));
  for (const file of ['bin', 'src/launch', 'src/install.ts', 'src/workers/start.ts', 'src/workers/start.mjs'])
    cpSync(join(repositoryRoot, 'apps/cli', file), join(home, 'apps/cli', file), { recursive: true });
  for (const file of ['package.json', 'tsconfig.json', 'tsconfig.base.json'])
    cpSync(join(repositoryRoot, file), join(home, file));
  for (const name of ['esbuild', 'tsx']) {
    mkdirSync(join(home, 'node_modules'), { recursive: true });
    symlinkSync(join(repositoryRoot, 'node_modules', name), join(home, 'node_modules', name));
  }
  mkdirSync(join(home, 'packages'));
  write('apps/cli/src/token.ts', 'export const token: symbol = Symbol();\n');
  write('apps/cli/src/main.ts', MAIN);
  write('apps/cli/src/workers/threads.ts', THREADS);
  write('plugins/a-plugin/src/index.ts', plugin('hello', '../../../apps/cli/src/token.ts'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function launched(...args: readonly string[]): Promise<string> {
  const command = join(home, 'apps/cli/bin/tablewalk.mjs');
  return (await promisify(execFile)(process.execPath, [command, ...args])).stdout.trimEnd();
}

const ownPlugin = (): string => join(home, 'plugins/a-plugin/src/index.ts');
const bundles = (): readonly string[] =>
  readdirSync(join(home, 'node_modules/.cache/tablewalk')).filter((name) => name.startsWith('bundle-'));

it('runs from a bundle, which is made once, and so do its threads', async () => {
  expect(await launched('run', ownPlugin())).toBe('hello shared bundle');
  const made = bundles();
  expect(await launched('run', ownPlugin())).toBe('hello shared bundle');
  expect(await launched('thread')).toBe('bundle bundle');
  expect(bundles()).toEqual(made);
});

it('ends with the command, when all that it said has arrived', async () => {
  expect(await launched('much')).toHaveLength(2 ** 19);
});

it('letters beyond ASCII are what they were', async () => {
  write('plugins/a-plugin/src/index.ts', plugin('größer ≥ 2', '../../../apps/cli/src/token.ts'));
  expect(await launched('run', ownPlugin())).toBe('größer ≥ 2 shared bundle');
});

describe('nothing is stale', () => {
  it('an edit of a source takes effect', async () => {
    expect(await launched('run', ownPlugin())).toBe('hello shared bundle');
    write('plugins/a-plugin/src/index.ts', plugin('howdy', '../../../apps/cli/src/token.ts'));
    expect(await launched('run', ownPlugin())).toBe('howdy shared bundle');
  });

  it('a plugin that is added, and one that is taken away', async () => {
    await launched('run', ownPlugin());
    write('plugins/b-plugin/src/index.ts', plugin('second', '../../../apps/cli/src/token.ts'));
    await launched('run', ownPlugin());
    expect(bundles()).toHaveLength(2);
    rmSync(join(home, 'plugins/b-plugin'), { recursive: true });
    expect(await launched('run', ownPlugin())).toBe('hello shared bundle');
    expect(bundles()).toHaveLength(3);
  });

  it('bundles that nobody wants any more are taken away', async () => {
    for (let edit = 0; edit < 10; edit++) {
      write('plugins/a-plugin/src/index.ts', plugin(`edit ${edit}`, '../../../apps/cli/src/token.ts'));
      expect(await launched('run', ownPlugin())).toBe(`edit ${edit} shared bundle`);
    }
    expect(bundles()).toHaveLength(8);
  });
});

it('processes that begin at once do not disturb each other', async () => {
  const several = Array.from({ length: 4 }, () => launched('run', ownPlugin()));
  expect(new Set(await Promise.all(several))).toEqual(new Set(['hello shared bundle']));
  expect(await launched('run', ownPlugin())).toBe('hello shared bundle');
});

describe('from the sources', () => {
  it('where nothing can be kept', async () => {
    write('node_modules/.cache', 'a file, where a folder would be needed');
    expect(await launched('run', ownPlugin())).toBe('hello shared sources');
    expect(await launched('thread')).toBe('sources sources');
  });

  it('where a plugin that is not needed does not parse', async () => {
    write('plugins/b-plugin/src/index.ts', 'export const half = {\n');
    expect(await launched('run', ownPlugin())).toBe('hello shared sources');
    expect(bundles()).toEqual([]);
  });

  it('where a plugin that is not needed throws when it is loaded', async () => {
    write('plugins/b-plugin/src/index.ts', 'throw new Error("not mine");\nexport {};\n');
    expect(await launched('run', ownPlugin())).toBe('hello shared sources');
  });

  it("with somebody's own module, which shares what the command has", async () => {
    await launched('run', ownPlugin());
    write('mine.ts', plugin('my own', './apps/cli/src/token.ts'));
    expect(await launched('foreign', join(home, 'mine.ts'))).toBe('my own shared sources');
  });
});

it('a stack names the source, from a bundle too, and from one that V8 has cached', async () => {
  const line = MAIN.split('\n').findIndex((text) => text.includes('on purpose')) + 1;
  const place = `${join(home, 'apps/cli/src/main.ts')}:${line}:`;
  for (let run = 0; run < 2; run++) {
    await expect(launched('stack')).rejects.toMatchObject({
      stderr: expect.stringContaining(place) as string,
    });
    await launched('run', ownPlugin());
  }
});

it('only install.ts asks where it is: a bundle is somewhere else', () => {
  const asks = ['apps/cli/src', 'packages', 'plugins']
    .flatMap((folder) =>
      readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(folder, file),
      ),
    )
    .filter((file) => /\/src\/.*\.ts$/.test(file) && !/\.(spec|fixture)\.ts$|node_modules|testkit/.test(file))
    .filter((file) => readFileSync(join(repositoryRoot, file), 'utf8').includes('import.meta'));
  expect(asks).toEqual(['apps/cli/src/install.ts']);
});
