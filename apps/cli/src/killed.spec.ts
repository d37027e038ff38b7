import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { prngBelow, prngSeed } from '@tablewalk/base';
import { replay } from '@tablewalk/compose';
import { openHistoryFile } from './history-file.ts';
import { repositoryRoot } from './install.ts';
import { commandFile } from './testing/tablewalk.ts';

/**
 * A real process that records is killed (SIGKILL: it can do nothing about it) at 20 random moments. What it
 * leaves must open up to its last whole chunk: no fact that was written whole is lost, and a replay of them works.
 */
const KILLS = 20;
const folder = mkdtempSync(join(tmpdir(), 'tablewalk-killed-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const random = prngSeed(20261124);

/** Records a run under memory pressure until the file has so many bytes, then kills it. */
function recordAndKill(path: string, bytes: number, delay: number): Promise<void> {
  const traces = ['--trace', 'machines/traces/true.lk.gz', '--trace', 'machines/traces/ls.lk.gz'];
  const child = spawn(
    process.execPath,
    [
      commandFile,
      'run',
      'cortex-a9-smp',
      ...traces,
      '--set',
      'memory.ram=400KiB',
      '--record',
      path,
      '--quiet',
    ],
    { cwd: repositoryRoot, stdio: 'ignore' },
  );
  return new Promise((resolve) => {
    const watch = setInterval(() => {
      if (!existsSync(path) || statSync(path).size < bytes) return;
      clearInterval(watch);
      setTimeout(() => child.kill('SIGKILL'), delay);
    }, 1);
    child.once('exit', () => {
      clearInterval(watch);
      resolve();
    });
  });
}

it(`a history whose writer was killed opens up to its last whole chunk, ${KILLS} times`, async () => {
  let cutShort = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const path = join(folder, `${kill}.mcap`);
    await recordAndKill(path, 1 + prngBelow(random, 250_000), prngBelow(random, 12));
    const history = await openHistoryFile(path);
    history.history.verify();
    const world = replay(history, await history.build(), history.factCount);
    expect(world.facts).toBe(history.factCount);
    expect([...history.facts(0)].length).toBe(history.factCount);
    // Facts are written out in blocks: what is lost is less than one.
    if (history.damage !== undefined) cutShort += 1;
    else expect(history.closing).toBeDefined();
  }
  // Some runs may have been faster than the kill; most must not have been.
  expect(cutShort).toBeGreaterThan(KILLS / 2);
}, 180_000);
