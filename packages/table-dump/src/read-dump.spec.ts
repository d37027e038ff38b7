import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ownRoot, registersOf } from './dump.ts';
import { readMeta } from './meta.ts';
import { pageRecords, readPages, RECORD_BYTES } from './pages.ts';
import { sampleMetaText, samplePages, samples } from './sample-dump.ts';
import { TableDumpError } from './table-dump-error.ts';

const short = samples['short-tiny']();
const lpae = samples['lpae-tiny']();
const dumps = fileURLToPath(new URL('../../../machines/dumps', import.meta.url));

function refusal(read: () => unknown): { code: string; at: string | undefined } {
  try {
    read();
  } catch (error) {
    if (error instanceof TableDumpError) return { code: error.code, at: error.report.at };
    throw error;
  }
  throw new Error('it was read');
}

describe('machines/dumps', () => {
  it.each(['short-tiny', 'lpae-tiny'] as const)('%s is what write-samples.fixture.ts writes', (name) => {
    const file = (kind: string): Buffer => gunzipSync(readFileSync(join(dumps, `${name}.${kind}.gz`)));
    const sample = samples[name]();
    expect(Buffer.compare(file('ptpages.bin'), samplePages(sample))).toBe(0);
    expect(file('meta.json').toString('utf8')).toBe(sampleMetaText(sample));
  });
});

describe('pages', () => {
  const bytes = samplePages(short);

  it('are read where they are, and known to be absent where they are not', () => {
    const pages = readPages(bytes, 'x');
    expect(pages.pageCount).toBe(short.pages.size);
    expect([pages.has(0x4000_4000), pages.has(0x4000_7fff), pages.has(0x4000_8000)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(pages.read32(0x4000_4000 + 0xc00 * 4)).toBe(0x4001_940e);
    expect(refusal(() => pages.read32(0x4002_3800))).toEqual({ code: 'TABLES_PAGE_ABSENT', at: 'x' });
  });

  it('every cut of a dump is told, with the byte where the record begins, and a cut between records is none', () => {
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      const whole = Math.floor(length / RECORD_BYTES);
      if (length === 0) expect(refusal(() => readPages(cut, 'x'))).toEqual({ code: 'TABLES_EMPTY', at: 'x' });
      else if (length % RECORD_BYTES === 0) expect(readPages(cut, 'x').pageCount).toBe(whole);
      else {
        const found = refusal(() => readPages(cut, 'x'));
        if (found.code !== 'TABLES_RECORD_CUT' || found.at !== `x, byte ${whole * RECORD_BYTES}`)
          expect({ length, ...found }).toBeUndefined();
      }
    }
  });

  const damaged = (change: (view: DataView) => void): Uint8Array => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return copy;
  };
  const second = RECORD_BYTES;

  it.each([
    ['TABLES_PAGE_UNALIGNED', damaged((view) => view.setUint32(second, 0x4000_5004, true))],
    ['TABLES_PAGE_TWICE', damaged((view) => view.setUint32(second, 0x4000_4000, true))],
    ['TABLES_PAGE_TOO_HIGH', damaged((view) => view.setUint32(second + 4, 0x100, true))],
    ['TABLES_PAGE_TOO_HIGH', damaged((view) => view.setUint32(second + 4, 0xffff_ffff, true))],
  ])('%s names the byte of the record', (code, file) => {
    expect(refusal(() => readPages(file, 'x'))).toEqual({ code, at: `x, byte ${second}` });
  });

  it('a file of another kind is refused at its first record', () => {
    const text = new TextEncoder().encode('a text that is no dump\n'.repeat(1000));
    expect(refusal(() => readPages(text, 'x'))).toEqual({ code: 'TABLES_PAGE_TOO_HIGH', at: 'x, byte 0' });
  });

  it('addresses have 40 bits', () => {
    const high = 2 ** 40 - 4096;
    const page = new Uint8Array(4096).fill(0x5a);
    const pages = readPages(pageRecords(new Map([[high, page]])), 'x');
    expect(pages.read32(high + 4092)).toBe(0x5a5a_5a5a);
  });
});

describe('the description', () => {
  const change = (edit: (meta: Record<string, unknown>) => void): string => {
    const meta = structuredClone(short.meta) as Record<string, unknown>;
    edit(meta);
    return sampleMetaText({ meta: meta as typeof short.meta });
  };
  const wrong = (text: string): string => {
    try {
      readMeta(text, 'm');
    } catch (error) {
      if (error instanceof TableDumpError) return `${error.code} ${error.report.what.split(' is ')[0]}`;
      throw error;
    }
    return 'read';
  };

  it('gives registers by the names of the manual, exactly', () => {
    const dump = {
      name: 'x',
      pages: readPages(samplePages(lpae), 'x'),
      meta: readMeta(sampleMetaText(lpae), 'm'),
    };
    const registers = registersOf(dump, 0);
    expect(registers).toEqual({
      ...{ SCTLR: 0x30c5_387dn, TTBCR: 0xb502_3500n, DACR: 0x55n, ID_MMFR0: 0x1020_1105n },
      ...{ MAIR0: 0xeeaa_4400n, MAIR1: 0xff00_0004n, TTBR0: 0x6c_0000_4001_0040n, TTBR1: 0x4000_7000n },
    });
    expect(ownRoot(dump, 0)).toBe(0x4001_0040);
    expect(registersOf(dump, 0, { root: 0x4000_3000 })['TTBR0']).toBe(0x6c_0000_4000_3000n);
  });

  it('keeps the attributes of the walk when it is given another root', () => {
    const dump = {
      name: 'x',
      pages: readPages(samplePages(short), 'x'),
      meta: readMeta(sampleMetaText(short), 'm'),
    };
    const { TTBR0, PRRR, NMRR, DACR } = registersOf(dump, 0, { root: 0x4000_4000, dacr: 0x51 });
    expect([TTBR0, PRRR, NMRR, DACR]).toEqual([0x4000_406an, 0xff0a_81a8n, 0x40e0_40e0n, 0x51n]);
    expect(ownRoot(dump, 0)).toBe(0x4001_0000);
    expect(() => registersOf(dump, 2)).toThrow(RangeError);
  });

  it('every cut of it is told', () => {
    const text = sampleMetaText(short);
    for (let length = 0; length < text.length; length += 1)
      if (!wrong(text.slice(0, length)).startsWith('TABLES_META_NOT_JSON')) expect(length).toBeUndefined();
  });

  it('every field that is needed is missed, by its path', () => {
    const fields = [
      'kernel',
      'lpae',
      'snapshot',
      'phys_offset',
      'page_offset',
      'cpus',
      'symbols',
      'tasks',
      'roots',
    ];
    for (const field of fields)
      expect(wrong(change((meta) => delete meta[field]))).toBe(`TABLES_META_INVALID "${field}"`);
    for (const register of [
      'SCTLR',
      'TTBCR',
      'TTBR0',
      'TTBR1',
      'DACR',
      'ID_MMFR0',
      'PRRR_MAIR0',
      'NMRR_MAIR1',
    ])
      expect(wrong(change((meta) => delete (meta['cpus'] as Record<string, number>[])[1]?.[register]))).toBe(
        `TABLES_META_INVALID "cpus[1].${register}"`,
      );
  });

  it.each<[string, (meta: Record<string, unknown>) => void]>([
    ['"cpus"', (meta) => (meta['cpus'] = [])],
    [
      '"cpus[0].TTBCR"',
      (meta) => ((meta['cpus'] as Record<string, number>[])[0] = cpuWith({ TTBCR: 2 ** 32 })),
    ],
    [
      '"cpus[0].TTBCR"',
      (meta) => ((meta['cpus'] as Record<string, number>[])[0] = cpuWith({ TTBCR: 0x8000_0000 })),
    ],
    ['"cpus[0].DACR"', (meta) => ((meta['cpus'] as Record<string, number>[])[0] = cpuWith({ DACR: -1 }))],
    ['"roots[0].pa"', (meta) => ((meta['roots'] as { pa: unknown }[])[0] = { pa: '0x40004000' })],
    ['"roots[1].pa"', (meta) => ((meta['roots'] as { pa: unknown }[])[1] = rootAt(0x4001_2000))],
    ['"roots[1].pa"', (meta) => ((meta['roots'] as { pa: unknown }[])[1] = rootAt(0x4000_4000))],
    ['"page_offset"', (meta) => (meta['page_offset'] = 0.5)],
  ])('what cannot be is told: %s', (path, edit) => {
    expect(wrong(change(edit))).toBe(`TABLES_META_INVALID ${path}`);
  });
  const rootAt = (pa: number): { pa: number; users: [] } => ({ pa, users: [] });
  const cpuWith = (registers: Record<string, number>): Record<string, number> => ({
    ...(short.meta.cpus[0] as Record<string, number>),
    ...registers,
  });

  it('JSON that is no object is refused as a whole', () => {
    for (const text of ['null', '[]', '1', '"x"', '{}', '[[[['])
      expect(wrong(text)).toMatch(/^TABLES_META_(INVALID|NOT_JSON) /);
  });
});
