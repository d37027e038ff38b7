import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './install.ts';
import { commandFile } from './testing/tablewalk.ts';

const RUN = ['run', 'cortex-a9-smp', '--trace', 'machines/traces/ls.lk.gz', '--json'];

/** A run in a process of its own: all that it reports, but for the host. */
function reported(...node: readonly string[]): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, [...node, commandFile, ...RUN], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const { host: _host, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
  return rest;
}

describe('where no code may be made from text', () => {
  it('the two engines take turns, and come to the same', { timeout: 60_000 }, () => {
    expect(reported('--disallow-code-generation-from-strings')).toEqual(reported());
  });
});
