import { CodedError } from '@tablewalk/base';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../install.ts';
import { commandFile, tablewalkHere } from '../testing/tablewalk.ts';
import { Crew } from './crew.ts';
import { errorOf, failureOf } from './protocol.ts';

/** Searches in real threads. What shards count in one thread is tested beside them. */
async function explored(...args: string[]): Promise<unknown> {
  const { status, stdout, stderr } = await tablewalkHere('explore', ...args, '--json');
  expect(stderr).toBe('');
  // How long it took and where the bytes are is a matter of who searched.
  const { seconds, bytesPerState, ...found } = JSON.parse(stdout) as Record<string, unknown>;
  expect([typeof seconds, typeof bytesPerState]).toEqual(['number', 'number']);
  return { status, ...found };
}

describe('a search in threads comes to what one thread comes to', () => {
  it.each([
    ['a model that is violated', '3', ['shoot6x2', '--variant', 'no-wait', '--set', 'cpus=3']],
    ['a story on a machine', '2', ['kmap-high-get', '--variant', 'repaired']],
    ["a story of one's own", '2', [join(repositoryRoot, 'docs/examples/lost-update.ts')]],
  ])('%s', async (_what, workers, args) => {
    expect(await explored(...args, '--workers', workers)).toEqual(await explored(...args));
  });
});

it('an error of a thread is the same error here', async () => {
  const crew = new Crew(
    2,
    { story: 'no-such-story', variant: 'only', set: {}, options: {} },
    () => undefined,
  );
  try {
    await expect(crew.carryOut({ kind: 'begin' })).rejects.toMatchObject({
      code: 'STORY_UNKNOWN',
      exitCode: 2,
    });
    await expect(crew.carryOut({ kind: 'begin' })).rejects.toBeInstanceOf(CodedError);
  } finally {
    await crew.dismiss();
  }
  const broken = errorOf(structuredClone(failureOf(new RangeError('out of range'))));
  expect([broken.name, broken.message]).toEqual(['InvariantError', 'out of range']);
});

it('ends with its threads when it is interrupted', async () => {
  const long = ['explore', 'shoot6x2', '--variant', 'repaired', '--set', 'last=1', '--workers', '2'];
  const child = spawn(process.execPath, [commandFile, ...long], { cwd: repositoryRoot });
  const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
  child.stdout.once('data', () => child.kill('SIGINT'));
  expect(await ended).toBe('SIGINT');
});
