import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../install.ts';

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const commandFile = join(repositoryRoot, 'apps/cli/bin/tablewalk.mjs');

/** Runs the command as a user does, in a process of its own, from the repository's root. */
export function tablewalk(...args: readonly string[]): Finished {
  const { status, stdout, stderr } = spawnSync(process.execPath, [commandFile, ...args], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  return { status, stdout, stderr };
}
