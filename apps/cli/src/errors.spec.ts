import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from './install.ts';

const CODE_IN_SOURCE = /(?:Error|refuse|fail)\w*\(\s*'([A-Z]+(?:_[A-Z]+)+)'/g;
const CODE_IN_PAGE = /^\| `([A-Z]+(?:_[A-Z]+)+)` \|/gm;

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(
      (file) =>
        file.endsWith('.ts') && !/\.(spec|fixture|bench)\.ts$/.test(file) && !file.includes('node_modules'),
    )
    .map((file) => readFileSync(join(folder, file), 'utf8'));
}

it('docs/errors.md lists every code that the sources can raise, and no other', () => {
  const folders = ['packages', 'plugins', 'apps'].map((folder) => join(repositoryRoot, folder));
  const raised = new Set(
    folders.flatMap(sources).flatMap((text) => [...text.matchAll(CODE_IN_SOURCE)].map((match) => match[1])),
  );
  const page = readFileSync(join(repositoryRoot, 'docs/errors.md'), 'utf8');
  const listed = new Set([...page.matchAll(CODE_IN_PAGE)].map((match) => match[1]));
  expect([...listed].sort()).toEqual([...raised].sort());
});
