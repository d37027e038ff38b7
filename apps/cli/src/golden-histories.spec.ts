import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replay, rerun } from '@tablewalk/compose';
import { compareDigests, worldDigest } from '@tablewalk/machine';
import { describe, expect, it } from 'vitest';
import { openHistoryFile } from './history-file.ts';
import { repositoryRoot } from './install.ts';

/**
 * Histories that released versions recorded. They must replay for ever, to the worlds that they had then: a
 * change of a fact needs an upcaster. `expected.json` was written when the history was recorded.
 */
const folder = join(repositoryRoot, 'apps/cli/golden-histories');
interface Expected {
  readonly facts: number;
  readonly violations: number;
  readonly world: string;
  readonly worldHalfway: string;
}
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<string, Expected>;
const files = readdirSync(folder).filter((name) => name.endsWith('.mcap'));

it('every golden history has an expectation', () => {
  expect(files.sort()).toEqual(Object.keys(expected).sort());
});

describe.each(files)('%s', (name) => {
  it('replays to the worlds that it had', async () => {
    const history = await openHistoryFile(join(folder, name));
    history.history.verify();
    const built = await history.build();
    const { factCount } = history;
    const end = replay(history, built, factCount);
    const { violations } = end.slices['statistics'] as { violations: number };
    const worldHalfway = worldDigest(replay(history, built, Math.floor(factCount / 2)));
    expect({ facts: factCount, violations, world: worldDigest(end), worldHalfway }).toEqual(expected[name]);
  });

  it('is decided again the same way', async () => {
    const history = await openHistoryFile(join(folder, name));
    const verdict = rerun(history, history.segments, await history.buildAll());
    expect(verdict.divergence).toBeUndefined();
    expect(verdict.compared).toBe(history.factCount);
    expect(compareDigests(history.closing?.digest ?? '', verdict.machine.digest())).not.toBe('different');
  });
});
