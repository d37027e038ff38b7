import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceFile } from './finding.ts';

const IGNORED_FOLDERS = ['node_modules', '.git', '.nx', 'dist', 'coverage', 'tmp'];
const BINARY = /\.(mcap|gz|zst|png|wasm|bin)$/;

/** Every text file of the repository that git tracks, or would track. */
export function readRepository(top: string): SourceFile[] {
  return (trackedPaths(top) ?? walk(top, ''))
    .filter((path) => !BINARY.test(path) && existsSync(join(top, path)))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(top, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'));
}

/** Undefined outside of a git repository: in an unpacked archive, say. */
function trackedPaths(top: string): string[] | undefined {
  const git = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: top,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return git.status === 0 ? git.stdout.split('\0').filter((path) => path !== '') : undefined;
}

function walk(top: string, folder: string): string[] {
  return readdirSync(join(top, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return IGNORED_FOLDERS.includes(entry.name) ? [] : walk(top, path);
    return entry.isFile() ? [path] : [];
  });
}
