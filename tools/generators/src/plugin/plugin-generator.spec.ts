import { createTree } from '@nx/devkit/testing';
import type { Tree } from '@nx/devkit';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { afterAll, describe, expect, it } from 'vitest';
import pluginGenerator from './plugin-generator.js';

const workspace = fileURLToPath(new URL('../../../..', import.meta.url));
const templates = fileURLToPath(new URL('files', import.meta.url));
const slots = readdirSync(templates).filter((name) => name !== 'common');

/** An empty workspace that formats as this one does. */
function emptyWorkspace(): Tree {
  const tree = createTree();
  tree.write('.prettierrc', readFileSync(join(workspace, '.prettierrc.json'), 'utf8'));
  return tree;
}

/** What the generator writes, by path. */
async function generate(
  slot: string,
  policy: string,
  tree = emptyWorkspace(),
): Promise<Record<string, string>> {
  const there = new Set(tree.listChanges().map(({ path }) => path));
  await pluginGenerator(tree, { slot, policy });
  const written = tree.listChanges().filter(({ path }) => !there.has(path));
  return Object.fromEntries(written.map(({ path, content }) => [path, content?.toString() ?? '']));
}

const refusal = (slot: string, policy: string, tree?: Tree): Promise<string> =>
  generate(slot, policy, tree).then(
    () => 'not refused',
    (error: unknown) => String(error),
  );

describe('the plugin generator', () => {
  it('has a template for the slots that policies are most often written for', () => {
    expect(slots).toEqual(expect.arrayContaining(['checker', 'mmu-gather', 'replacement', 'shootdown']));
  });

  it('makes the whole anatomy and touches nothing else', async () => {
    expect(Object.keys(await generate('mmu-gather', 'made-up')).sort()).toEqual([
      'plugins/mmu-gather-made-up/README.md',
      'plugins/mmu-gather-made-up/project.json',
      'plugins/mmu-gather-made-up/src/contract.spec.ts',
      'plugins/mmu-gather-made-up/src/index.ts',
      'plugins/mmu-gather-made-up/src/made-up.spec.ts',
      'plugins/mmu-gather-made-up/src/made-up.ts',
      'plugins/mmu-gather-made-up/src/manifest.ts',
    ]);
  });

  it('takes a policy by its whole id, too', async () => {
    const [short, whole] = [
      await generate('replacement', 'srrip'),
      await generate('replacement', 'replacement-srrip'),
    ];
    expect(whole).toEqual(short);
  });

  it('finds an identifier for a policy whose name is none', async () => {
    const files = await generate('replacement', '2q');
    expect(files['plugins/replacement-2q/src/2q.ts']).toContain(
      'export const replacement2q: ReplacementPolicy',
    );
  });

  it('writes files that are formatted', async () => {
    const config = await resolveConfig(join(workspace, 'package.json'));
    for (const slot of slots)
      for (const [path, text] of Object.entries(await generate(slot, 'of-a-rather-long-name'))) {
        if (path.endsWith('.md')) continue;
        expect(await format(text, { ...config, filepath: path }), path).toBe(text);
      }
  });
});

describe('the plugin generator refuses', () => {
  it('an unknown slot, with the nearest name', async () => {
    const message = await refusal('replacment', 'x');
    expect(message).toMatch(/^ConfigError: SLOT_UNKNOWN: there is no slot "replacment"/);
    expect(message).toContain('did you mean "replacement"?');
  });

  it('a slot without a template, and says where to begin', async () => {
    expect(await refusal('cost', 'x')).toMatch(/SLOT_NO_TEMPLATE: .*"cost"[^]*begin with a copy of a plugin/);
  });

  it.each(['My-Policy', 'a b', '', 'manifest', '../x', 'a--b'])('the name "%s"', async (policy) => {
    expect(await refusal('replacement', policy)).toMatch(/POLICY_NAME: .*cannot be the name of a policy/);
  });

  it('to write over a plugin that is there', async () => {
    const tree = emptyWorkspace();
    tree.write('plugins/replacement-mine/README.md', '# mine');
    expect(await refusal('replacement', 'mine', tree)).toMatch(/PLUGIN_EXISTS: plugins\/replacement-mine/);
  });
});

/** A copy of the workspace, so that real plugins do not see the generated ones and the other way round. */
describe('in a workspace', () => {
  mkdirSync(join(workspace, 'tmp'), { recursive: true });
  const copy = mkdtempSync(join(workspace, 'tmp', 'generated-'));
  afterAll(() => rmSync(copy, { recursive: true, force: true }));
  const run = (bin: string, ...args: string[]): string => {
    const command = join(workspace, 'node_modules', '.bin', bin);
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: copy, encoding: 'utf8' });
    return status === 0 ? 'passed' : `${stdout}\n${stderr}`;
  };

  it('a generated plugin of every slot has no type error and its tests are green', async () => {
    for (const folder of ['packages', 'plugins']) {
      const source = (path: string): boolean => !/\.spec\.ts$|fixtures/.test(path);
      cpSync(join(workspace, folder), join(copy, folder), { recursive: true, filter: source });
    }
    mkdirSync(join(copy, 'node_modules', '@tablewalk'), { recursive: true });
    for (const name of readdirSync(join(copy, 'packages')))
      symlinkSync(join(copy, 'packages', name), join(copy, 'node_modules', '@tablewalk', name));
    for (const slot of slots)
      for (const [path, text] of Object.entries(await generate(slot, 'made-up'))) {
        mkdirSync(dirname(join(copy, path)), { recursive: true });
        writeFileSync(join(copy, path), text);
      }
    cpSync(join(workspace, 'tsconfig.base.json'), join(copy, 'tsconfig.base.json'));
    const tsconfig = {
      extends: './tsconfig.base.json',
      compilerOptions: { types: ['node'] },
      include: ['plugins/*-made-up/src/**/*.ts', 'packages/*/src/*.d.ts'],
    };
    writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify(tsconfig));
    writeFileSync(join(copy, 'vitest.config.mjs'), 'export default { test: { pool: "threads" } };');
    expect(run('tsc', '-p', 'tsconfig.json')).toBe('passed');
    expect(run('vitest', 'run')).toBe('passed');
  }, 300_000);
});
