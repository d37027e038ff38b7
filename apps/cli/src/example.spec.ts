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
