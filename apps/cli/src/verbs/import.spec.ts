import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repositoryRoot } from '../install.ts';
import { tablewalkHere } from '../testing/tablewalk.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
let whole: Buffer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tablewalk-import-'));
  const text = join(repositoryRoot, 'machines/traces/true.lk.gz');
  expect((await tablewalkHere('import', 'trace', text, '--to', at('whole.twt'))).status).toBe(0);
  whole = readFileSync(at('whole.twt'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Exit code, and the code of the error if there is one. No stack may be seen. */
async function imported(name: string, bytes: Uint8Array | string, ...flags: string[]): Promise<unknown[]> {
  writeFileSync(at(name), bytes);
  const { status, stderr } = await tablewalkHere(
    'import',
    'trace',
    at(name),
    '--to',
    at('out.twt'),
    ...flags,
  );
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  return status === 0 ? [0] : [status, stderr.split(':')[0]];
}

it('tells what a stranger brings', async () => {
  expect(await imported('again.twt', whole)).toEqual([0]);
  expect(await imported('packed.twt.gz', gzipSync(whole))).toEqual([0]);
  expect(await imported('empty.twt', '')).toEqual([2, 'TRACE_EMPTY']);
  expect(await imported('empty.twt', '', '--format', 'binary')).toEqual([2, 'TRACE_TRUNCATED']);
  expect(await imported('text.twt', 'I  04000000,3\n')).toEqual([0]);
  expect(await imported('text.twt', '# Notes\n')).toEqual([2, 'TRACE_BAD_LINE']);
  expect(await imported('text.twt', '# Notes\n', '--format', 'binary')).toEqual([2, 'TRACE_DAMAGED']);
  expect(await imported('twice.twt', Buffer.concat([whole, whole]))).toEqual([2, 'TRACE_DAMAGED']);
  expect(await imported('cut.twt.gz', gzipSync(whole).subarray(0, 9000))).toEqual([2, 'TRACE_UNREADABLE']);
});

it('tells of a cut, whether or not it is compressed again', async () => {
  for (let length = 4; length < whole.length; length += 1000) {
    const cut = whole.subarray(0, length);
    expect(await imported('cut.twt', cut)).toEqual([2, 'TRACE_TRUNCATED']);
    expect(await imported('cut.twt.gz', gzipSync(cut, { level: 1 }))).toEqual([2, 'TRACE_TRUNCATED']);
  }
});

it('replaces no folder', async () => {
  mkdirSync(at('folder'));
  const { status, stderr } = await tablewalkHere('import', 'trace', at('whole.twt'), '--to', at('folder'));
  expect([status, stderr.split(':')[0]]).toEqual([2, 'IMPORT_UNWRITABLE']);
  expect(statSync(at('folder')).isDirectory()).toBe(true);
});
