import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../../install.ts';

export interface CommandRun {
  readonly seconds: number;
  readonly residentBytes: number;
}

/** Runs the command in a process of its own, to its end, and measures it from outside. */
export function commandRun(args: readonly string[]): CommandRun {
  const command = join(repositoryRoot, 'apps/cli/bin/tablewalk.mjs');
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args, '--json'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  const seconds = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`tablewalk ${args.join(' ')} ended with ${status}: ${stderr}`);
  const { host } = JSON.parse(stdout) as { host?: Record<string, number> };
  return { seconds, residentBytes: host?.['host.residentMax'] ?? 0 };
}
