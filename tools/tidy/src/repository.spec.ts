import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CHECKS } from './checks.ts';
import { formatFinding } from './finding.ts';
import { readRepository } from './repository.ts';

/** The checks over this repository, so that `npm test` fails where `npm run tidy` does. */
describe('this repository', () => {
  const files = readRepository(fileURLToPath(new URL('../../..', import.meta.url)));

  it.each(Object.keys(CHECKS))('passes %s', (name) => {
    expect(CHECKS[name]?.(files).map(formatFinding)).toEqual([]);
  });

  it('is read whole', () => {
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['package.json', 'packages/base/src/index.ts', 'LICENSE']));
    expect(paths.filter((path) => path.startsWith('node_modules/'))).toEqual([]);
  });
});
