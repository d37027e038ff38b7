import { vaOfAccess } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from './install.ts';
import { tablewalk, tablewalkHere } from './testing/tablewalk.ts';
import { TraceFile } from './trace-file.ts';
import type { TraceFileOptions } from './trace-file.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tablewalk-traces-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const LS = join(repositoryRoot, 'machines/traces/ls.lk.gz');
const TEXT = Array.from({ length: 40 }, (_, i) => {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `I  ${hex(0x8000 + 4 * i, 8)},4\n L 1fff${hex(i * 16, 6)},8\n`;
}).join('');
/** TEXT, as `xz` compresses it. */
const XZ = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4ASvAJ9dACSILGGiO9rpR+nbteUZFIL1ap1pdiHqr5PSoZ5bSVwyxQHoD5L+jXq8' +
    '/8jNAI5lVox3XDLBJhXBDzKRBtbGdr1KYiVpMuvXkijUCO4dxRvpQ+2AUyvQm0juCDNVVQBwo4FadbZvKxvQN1wi0HcBHqaS' +
    'QhGM0J4+QcpQnoA/H9lEJXVy1fnGXdrlqYI0cOqnCQ2c5NuBLSGZkjbfnQdHAAAANJcb0+RloxYAAbsBsAkAAM5rm5yxxGf7' +
    'AgAAAAAEWVo=',
  'base64',
);

async function read(path: string, options: TraceFileOptions = {}): Promise<unknown[]> {
  const file = new TraceFile(path, options);
  const all: unknown[] = [];
  for (let batch = await file.next(); batch !== undefined; batch = await file.next())
    for (let i = 0; i < batch.count; i++) all.push([batch.kind[i], vaOfAccess(batch, i), batch.size[i]]);
  return [file.format, ...all];
}

/** All of a batch, to compare at once. */
const columns = (batch: AccessBatch | undefined): unknown => {
  if (batch === undefined) return undefined;
  const { count, capacity, kind, vaLo, vaHi, size } = batch;
  const digest = createHash('sha256');
  for (const column of [kind, vaLo, vaHi, size]) digest.update(column.subarray(0, count));
  return { count, capacity, digest: digest.digest('hex') };
};

it('refuses a file without a reference, which nobody means to run', async () => {
  writeFileSync(at('empty.lk'), '');
  writeFileSync(at('noise.lk'), '==12== Lackey, an example Valgrind tool\n');
  await expect(read(at('empty.lk'))).rejects.toThrow('TRACE_EMPTY');
  await expect(read(at('noise.lk'))).rejects.toThrow('TRACE_EMPTY');
  expect(tablewalk('run', 'l1-l2', '--trace', at('empty.lk'))).toMatchObject({ status: 2 });
});

describe('TraceFile', () => {
  it('reads plain, gzip and xz alike, whatever the file is called', async () => {
    writeFileSync(at('plain'), TEXT);
    writeFileSync(at('gzip.din'), gzipSync(TEXT));
    writeFileSync(at('xz.gz'), XZ);
    const plain = await read(at('plain'));
    expect(plain.slice(0, 3)).toEqual(['lackey', [0, 0x8000, 4], [1, 0x1fff000000, 8]]);
    expect(plain).toHaveLength(81);
    expect(await read(at('gzip.din'))).toEqual(plain);
    expect(await read(at('xz.gz'))).toEqual(plain);
  });

  it('says of compressed files that they are damaged or cut', async () => {
    for (const [name, bytes] of [
      ['cut.gz', gzipSync(TEXT).subarray(0, 60)],
      ['cut.xz', XZ.subarray(0, XZ.length - 40)],
      ['flipped.xz', Buffer.from(XZ.map((byte, i) => (i === 60 ? byte ^ 1 : byte)))],
    ] as const) {
      writeFileSync(at(name), bytes);
      await expect(read(at(name))).rejects.toThrow(/TRACE_UNREADABLE/);
    }
  });

  it('takes a format that it is told', async () => {
    writeFileSync(at('odd'), '\x01 8000\n0 8000\n');
    await expect(read(at('odd'))).rejects.toThrow(/TRACE_FORMAT_UNKNOWN/);
    expect(await read(at('odd'), { format: 'din', skipBadLines: true })).toEqual(['din', [1, 0x8000, 4]]);
  });
});

describe('a trace whose batches are used again', () => {
  const all = async (path: string, options: TraceFileOptions): Promise<[unknown[], Set<Uint32Array>]> => {
    const file = new TraceFile(path, options);
    const seen: unknown[] = [];
    const memory = new Set<Uint32Array>();
    for (let batch = await file.next(); batch !== undefined; batch = await file.next()) {
      seen.push(columns(batch));
      memory.add(batch.vaLo);
    }
    return [seen, memory];
  };

  it.each(['text', 'gzip', 'binary'])('reads the same, in the memory of a few (%s)', async (kind) => {
    const name = at(`again.${kind}`);
    if (kind === 'text') writeFileSync(name, gunzipSync(readFileSync(LS)));
    else if (kind === 'gzip') copyFileSync(LS, name);
    else expect((await tablewalkHere('import', 'trace', LS, '--to', name)).status).toBe(0);
    const [kept, own] = await all(name, { batchReferences: 8192 });
    expect(own.size).toBe(kept.length);
    expect(kept).toHaveLength(Math.ceil(300_000 / 8192));
    const [again, few] = await all(name, { batchReferences: 8192, reuse: true });
    expect(again).toEqual(kept);
    expect(few.size).toBeLessThan(12);
  });
});

describe('tablewalk import trace', () => {
  it('writes a trace that reads as the text does, batch by batch, in less than 2.5 bytes a reference', async () => {
    const said = await tablewalkHere('import', 'trace', LS, '--to', at('ls.twt'), '--json');
    expect(said.status, said.stderr).toBe(0);
    const { references, bytes, bytesPerReference, format, addressBits } = JSON.parse(said.stdout) as {
      [name: string]: number;
    };
    expect({ references, format, addressBits }).toEqual({
      references: 300000,
      format: 'lackey',
      addressBits: 32,
    });
    expect(bytes).toBe(readFileSync(at('ls.twt')).length);
    expect(bytesPerReference).toBe((bytes as number) / 300000);
    expect(bytesPerReference).toBeLessThan(2.5);
    const [text, binary] = [new TraceFile(LS), new TraceFile(at('ls.twt'))];
    for (let batch = await text.next(); batch !== undefined; batch = await text.next())
      expect(columns(await binary.next())).toEqual(columns(batch));
    expect(await binary.next()).toBeUndefined();
    expect(binary.reader.references).toBe(300000);
  });

  it('and a run of it counts the same, to the same digest', async () => {
    const run = async (trace: string): Promise<unknown> => {
      const said = await tablewalkHere('run', 'cortex-a9-smp', '--trace', trace, '--json');
      expect(said.status, said.stderr).toBe(0);
      const { digest, facts, statistics } = JSON.parse(said.stdout) as Record<string, unknown>;
      return { digest, facts, statistics };
    };
    // Under one name: it is the name of the process, which the digest knows.
    copyFileSync(LS, at('trace'));
    const ofText = await run(at('trace'));
    await tablewalkHere('import', 'trace', at('trace'), '--to', at('trace'));
    expect((await read(at('trace')))[0]).toBe('binary');
    expect(await run(at('trace'))).toEqual(ofText);
  });

  it('rebases, also when it imports what it wrote onto itself', async () => {
    writeFileSync(at('wide.lk'), TEXT);
    const wide = await tablewalkHere('import', 'trace', at('wide.lk'), '--to', at('wide.twt'));
    expect(wide.stdout).toContain('80 references of 37 bits from lackey');
    const again = ['import', 'trace', at('wide.twt'), '--to', at('wide.twt'), '--rebase'];
    const narrow = await tablewalkHere(...again);
    expect(narrow.stdout).toContain('80 references of 32 bits from binary');
    expect(narrow.stderr).toContain('rebased 0x1fff000000 to 0xbe000000');
    const [, ...references] = await read(at('wide.twt'));
    expect(references).toEqual((await read(at('wide.lk'), { rebase: true })).slice(1));
  });

  it('leaves nothing behind when it fails, and tells usage from damage', async () => {
    writeFileSync(at('kept.twt'), 'kept');
    writeFileSync(at('bad.lk'), `${TEXT}nonsense\n`);
    const bad = await tablewalkHere('import', 'trace', at('bad.lk'), '--to', at('kept.twt'));
    expect([bad.status, bad.stderr.split(':')[0]]).toEqual([2, 'TRACE_BAD_LINE']);
    expect(readFileSync(at('kept.twt'), 'utf8')).toBe('kept');
    const nowhere = await tablewalkHere('import', 'trace', LS, '--to', at('no/folder.twt'));
    expect([nowhere.status, nowhere.stderr.split(':')[0]]).toEqual([2, 'IMPORT_UNWRITABLE']);
    const whole = gunzipSync(readFileSync(LS)).subarray(0, 2 ** 16);
    writeFileSync(at('some.lk'), whole.subarray(0, whole.lastIndexOf(0x0a) + 1));
    expect(tablewalk('import', 'trace', at('some.lk'), '--to', at('some.twt')).status).toBe(0);
    const twt = readFileSync(at('some.twt'));
    writeFileSync(at('cut.twt'), twt.subarray(0, 500));
    const cut = await tablewalkHere('run', 'cortex-a9-smp', '--trace', at('cut.twt'));
    expect([cut.status, cut.stderr.split(':')[0]]).toEqual([2, 'TRACE_TRUNCATED']);
  });
});
