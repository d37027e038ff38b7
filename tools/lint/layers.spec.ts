import { ESLint } from 'eslint';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const workspace = fileURLToPath(new URL('../..', import.meta.url));
const eslint = new ESLint({ cwd: workspace });

beforeAll(() => {
  // The boundary rule reads the project graph that Nx stored last.
  const nx = join(workspace, 'node_modules', '.bin', 'nx');
  const shown = spawnSync(nx, ['show', 'projects'], { cwd: workspace, encoding: 'utf8' });
  if (shown.status !== 0) throw new Error(`nx show projects failed: ${shown.stderr}`);
});

/** The rules that refuse such a line in such a file. The file need not exist. */
async function refusals(file: string, line: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${line}\n`, { filePath: join(workspace, file) });
  const boundaryRules = ['@nx/enforce-module-boundaries', 'no-restricted-imports'];
  return (result?.messages ?? [])
    .map(({ ruleId, message }) => (ruleId === null ? `unreadable: ${message}` : ruleId))
    .filter((rule) => boundaryRules.includes(rule) || rule.startsWith('unreadable'));
}

const imports = (module: string): string => `export * from '${module}';`;
const boundary = ['@nx/enforce-module-boundaries'];
const banned = ['no-restricted-imports'];

describe('who may import whom', () => {
  it.each([
    ['packages/base/src/x.ts', '@tablewalk/contracts', 'base imports nothing'],
    ['packages/contracts/src/x.ts', '@tablewalk/arena', 'contracts import base only'],
    ['packages/history/src/x.ts', '@tablewalk/machine', 'the kernel has no cycle'],
    ['packages/trace/src/x.ts', '@tablewalk/machine', 'trace stands alone'],
    ['packages/machine/src/x.ts', '@tablewalk/testkit', 'testkit is for spec files'],
    ['packages/compose/src/x.ts', '@tablewalk/testkit', 'testkit is for spec files'],
    ['plugins/replacement-lru/src/x.ts', '@tablewalk/machine', 'a plugin does not see the kernel'],
    ['plugins/replacement-lru/src/x.spec.ts', '@tablewalk/compose', 'not even in a spec file'],
    ['plugins/replacement-lru/src/x.ts', '../../replacement-fifo/src/index.ts', 'nor another plugin'],
    ['plugins/replacement-lru/src/x.spec.ts', '../../replacement-fifo/src/index.ts', 'nor another plugin'],
    ['packages/base/src/x.ts', '../../contracts/src/index.ts', 'a path is no way around'],
    [
      'packages/compose/src/x.ts',
      '../../../plugins/tlb-set-associative/src/index.ts',
      'nobody lists plugins',
    ],
    ['eslint.config.mjs', '@tablewalk/base', 'what has no tags may depend on nothing'],
  ])('%s may not import %s: %s', async (file, module) => {
    expect(await refusals(file, imports(module))).toEqual(boundary);
  });

  it.each([
    ['packages/contracts/src/x.ts', '@tablewalk/base'],
    ['packages/machine/src/x.ts', '@tablewalk/history'],
    ['packages/machine/src/x.spec.ts', '@tablewalk/testkit'],
    ['plugins/replacement-lru/src/x.ts', '@tablewalk/arena'],
    ['plugins/replacement-lru/src/x.ts', './lru.ts'],
    ['plugins/replacement-lru/src/contract.spec.ts', '@tablewalk/testkit'],
    ['packages/testkit/src/x.ts', '@tablewalk/compose'],
    ['packages/testkit/src/x.ts', './lab.ts'],
    ['packages/compose/src/x.ts', '@tablewalk/machine'],
    ['eslint.config.mjs', './tools/lint/layers.mjs'],
  ])('%s may import %s', async (file, module) => {
    expect(await refusals(file, imports(module))).toEqual([]);
  });
});

describe('modules that are not for everyone', () => {
  it.each([
    ['packages/machine/src/x.ts', 'inversify'],
    ['plugins/replacement-lru/src/x.spec.ts', 'inversify'],
    ['packages/base/src/x.ts', 'rxjs'],
    ['packages/arena/src/x.ts', 'rxjs/operators'],
    ['packages/trace/src/x.ts', 'rxjs'],
    ['plugins/replacement-lru/src/lru.ts', 'rxjs'],
    ['packages/base/src/x.ts', 'immer'],
    ['packages/arena/src/x.ts', 'immer'],
    ['packages/trace/src/x.ts', 'immer'],
    ['packages/history/src/x.ts', 'node:fs'],
    ['packages/history/src/x.ts', 'fs/promises'],
    ['plugins/replacement-lru/src/x.ts', 'path'],
    ['packages/machine/src/x.ts', 'vitest'],
    ['plugins/replacement-lru/src/x.ts', 'fast-check'],
  ])('%s may not import %s', async (file, module) => {
    expect(await refusals(file, imports(module))).toEqual(banned);
  });

  it.each([
    ['packages/compose/src/x.ts', 'inversify'],
    ['packages/testkit/src/x.ts', 'inversify'],
    ['packages/testkit/src/x.ts', 'vitest'],
    ['plugins/replacement-lru/src/react.ts', 'rxjs'],
    ['plugins/checker-stale-translation/src/x.ts', 'rxjs'],
    ['packages/machine/src/x.ts', 'immer'],
    ['packages/base/src/x.spec.ts', 'fast-check'],
    ['packages/arena/src/x.oracle.spec.ts', 'node:fs'],
    ['tools/lint/x.mjs', 'node:fs'],
  ])('%s may import %s', async (file, module) => {
    expect(await refusals(file, imports(module))).toEqual([]);
  });
});
