import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const reporter = fileURLToPath(new URL('summary-reporter.ts', import.meta.url));
const workspace = fileURLToPath(new URL('../../..', import.meta.url));
const vitest = join(workspace, 'node_modules', 'vitest', 'vitest.mjs');
// Inside the workspace, so that `vitest` is found; ignored by git and by the main configuration.
const folder = mkdtempSync(join(workspace, 'node_modules', '.summary-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs real test files in a real vitest. */
function run(files: Record<string, string>): { code: number | null; lastLine: string | undefined } {
  const root = mkdtempSync(join(folder, 'run-'));
  const test = { include: ['*.check.mjs'], exclude: [], reporters: ['default', reporter] };
  writeFileSync(join(root, 'vitest.config.mjs'), `export default { test: ${JSON.stringify(test)} };`);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', '--root', root], {
    encoding: 'utf8',
  });
  return { code: status, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

const passing = `import { it } from 'vitest'; it('one', () => {}); it('two', () => {});`;

describe('a vitest run with the reporter', () => {
  it('ends with the counts and keeps the exit code', () => {
    const failing = `import { it } from 'vitest'; it('three', () => { throw new Error('no'); });`;
    expect([
      run({ 'a.check.mjs': passing }),
      run({ 'a.check.mjs': passing, 'b.check.mjs': failing }),
    ]).toEqual([
      { code: 0, lastLine: '2 passed, 0 failed' },
      { code: 1, lastLine: '2 passed, 1 failed' },
    ]);
  });

  it('does not end with "0 failed" when a file cannot be loaded', () => {
    expect(run({ 'a.check.mjs': passing, 'b.check.mjs': `import './missing.mjs';` })).toEqual({
      code: 1,
      lastLine: '2 passed, 1 failed',
    });
  });
});
