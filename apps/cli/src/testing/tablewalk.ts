import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../install.ts';
import { main } from '../main.ts';

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

/**
 * The same in this process: a tenth of the time, for the many cases of a verb. One at a time. Enough cases
 * run in a process of their own to know that the command does.
 */
export async function tablewalkHere(...args: readonly string[]): Promise<Finished> {
  const { stdout, stderr } = process;
  const said = { stdout: '', stderr: '' };
  const real = { stdout: stdout.write, stderr: stderr.write };
  const before = { exitCode: process.exitCode, listeners: stdout.listeners('error') };
  process.exitCode = undefined;
  stdout.write = (text) => ((said.stdout += String(text)), true);
  stderr.write = (text) => ((said.stderr += String(text)), true);
  try {
    await main(args);
    return { status: Number(process.exitCode ?? 0), ...said };
  } finally {
    stdout.write = real.stdout;
    stderr.write = real.stderr;
    process.exitCode = before.exitCode;
    for (const listener of stdout.listeners('error'))
      if (!before.listeners.includes(listener)) stdout.off('error', listener as () => void);
  }
}
