import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tablewalk } from './testing/tablewalk.ts';
import { repositoryRoot } from './install.ts';

/** The example of docs/writing-a-plugin.md, as a reader would run it. */
describe('the plugin of the documentation', () => {
  it('is complete in less than 60 lines', () => {
    const lines = readFileSync(join(repositoryRoot, 'docs/examples/mru.ts'), 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThan(60);
  });

  it('runs by its path, and counts otherwise than LRU', () => {
    const trace = ['--trace', 'machines/traces/true.lk.gz', '--json'];
    const mru = tablewalk('run', 'docs/examples/mru.yaml', ...trace);
    const lru = tablewalk(
      'run',
      'docs/examples/mru.yaml',
      ...trace,
      '--set',
      'slots.replacement=replacement-lru',
    );
    expect([mru.status, lru.status]).toEqual([0, 0]);
    const misses = (output: string): number =>
      (JSON.parse(output) as { statistics: Record<string, number> }).statistics[
        'cpu0.dcache.misses::R'
      ] as number;
    expect(misses(mru.stdout)).toBeGreaterThan(0);
    expect(misses(mru.stdout)).not.toBe(misses(lru.stdout));
  });
});

/** The example of docs/exploring.md: a story of one's own, by its path. */
describe('the story of the documentation', () => {
  const path = './docs/examples/lost-update.ts';

  it('is about a page long', () => {
    const lines = readFileSync(join(repositoryRoot, path), 'utf8').trimEnd().split('\n');
    expect(lines.length).toBeLessThan(50);
  });

  it('is explored by its path, and is as it says', () => {
    const all = tablewalk('explore', path, '--variant', 'all', '--json');
    expect(all.status, all.stderr).toBe(0);
    const broken = tablewalk('explore', path, '--json');
    const { verdict, rule, reproduce } = JSON.parse(broken.stdout) as Record<string, string>;
    expect({ status: broken.status, verdict, rule }).toEqual({
      status: 1,
      verdict: 'violated',
      rule: 'a user of the page is not counted',
    });
    expect(reproduce).toContain(path);
  });

  it('a path that leads nowhere, or to something else, is refused', () => {
    const wrong = (name: string): string => tablewalk('explore', name).stderr.split(':')[0] as string;
    expect([wrong('./no-story.ts'), wrong('./docs/examples/mru.ts')]).toEqual([
      'STORY_FILE_MISSING',
      'STORY_UNLOADABLE',
    ]);
  });
});
