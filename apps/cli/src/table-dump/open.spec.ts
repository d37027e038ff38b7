import { CodedError } from '@tablewalk/base';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { gunzipSync, gzipSync } from 'node:zlib';
import { machinesFolder } from '../install.ts';
import { openTableDump } from './open.ts';

const folder = mkdtempSync(join(tmpdir(), 'table-dump-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const whole = (kind: string): Buffer => readFileSync(join(machinesFolder, 'dumps', `short-tiny.${kind}.gz`));
const [pages, meta] = [whole('ptpages.bin'), whole('meta.json')];
let count = 0;

/** The code and exit code of what is refused; `read` when it is not. */
function opened(files: Readonly<Record<string, Uint8Array>>, name = 'ptpages.bin.gz'): string {
  const stem = join(folder, `dump-${count++}`);
  for (const [kind, bytes] of Object.entries(files)) writeFileSync(`${stem}.${kind}`, bytes);
  try {
    openTableDump(`${stem}.${name}`);
    return 'read';
  } catch (error) {
    if (error instanceof CodedError) return `${error.code} ${error.exitCode}`;
    throw error;
  }
}

describe('a dump on disk', () => {
  it('is read packed and plain', () => {
    expect(opened({ 'ptpages.bin.gz': pages, 'meta.json.gz': meta })).toBe('read');
    expect(opened({ 'ptpages.bin': gunzipSync(pages), 'meta.json': gunzipSync(meta) }, 'ptpages.bin')).toBe(
      'read',
    );
  });

  it('every cut of either gzip file is refused', () => {
    const verdicts = (bytes: Buffer, files: (cut: Buffer) => Record<string, Buffer>): Set<string> =>
      new Set(Array.from(bytes, (_byte, length) => opened(files(bytes.subarray(0, length)))));
    expect([...verdicts(pages, (cut) => ({ 'ptpages.bin.gz': cut, 'meta.json.gz': meta }))]).toEqual([
      'TABLES_UNREADABLE 3',
    ]);
    expect([...verdicts(meta, (cut) => ({ 'ptpages.bin.gz': pages, 'meta.json.gz': cut }))]).toEqual([
      'TABLES_UNREADABLE 3',
    ]);
  });

  it('every byte of the packed pages counts, but for those of the gzip header', () => {
    // Bytes 4 to 9 are the time and the system that wrote the file.
    const verdicts = Array.from(pages, (byte, place) => {
      const changed = Buffer.from(pages);
      changed[place] = byte ^ 0xff;
      return opened({ 'ptpages.bin.gz': changed, 'meta.json.gz': meta });
    });
    expect(verdicts.filter((verdict) => verdict === 'read').length).toBe(6);
    expect(new Set(verdicts)).toEqual(new Set(['read', 'TABLES_UNREADABLE 3']));
  });

  it.each<[string, Record<string, Uint8Array>]>([
    ['TABLES_MISSING 2', {}],
    ['TABLES_META_MISSING 3', { 'ptpages.bin.gz': pages }],
    ['TABLES_UNREADABLE 3', { 'ptpages.bin.gz': gunzipSync(pages), 'meta.json.gz': meta }],
    [
      'TABLES_RECORD_CUT 3',
      { 'ptpages.bin.gz': gzipSync(gunzipSync(pages).subarray(0, 5000)), 'meta.json.gz': meta },
    ],
    ['TABLES_EMPTY 3', { 'ptpages.bin.gz': gzipSync(''), 'meta.json.gz': meta }],
    ['TABLES_META_NOT_JSON 3', { 'ptpages.bin.gz': pages, 'meta.json.gz': gzipSync('{"kernel"') }],
    [
      'TABLES_META_NOT_JSON 3',
      { 'ptpages.bin.gz': pages, 'meta.json.gz': gzipSync(Buffer.from([0x22, 0xff])) },
    ],
    ['TABLES_META_INVALID 3', { 'ptpages.bin.gz': pages, 'meta.json.gz': gzipSync('{}') }],
  ])('%s', (expected, files) => {
    expect(opened(files)).toBe(expected);
  });

  it('a gzip file that unpacks to more than any dump has is not unpacked', () => {
    const path = join(machinesFolder, 'dumps/short-tiny.ptpages.bin.gz');
    expect(() => openTableDump(path, 1000)).toThrow(
      /^TABLES_UNREADABLE: [^]*it unpacks to more than 1000 bytes/,
    );
  });

  it('a name of another kind is refused before anything is read', () => {
    const path = join(folder, 'x.bin.gz');
    copyFileSync(join(machinesFolder, 'dumps/short-tiny.ptpages.bin.gz'), path);
    expect(() => openTableDump(path)).toThrow(/^TABLES_NAME: /);
    expect(() => openTableDump(folder)).toThrow(/^TABLES_MISSING: .* is no file/);
  });
});
