import { ACCESS_LETTERS, vaOfAccess } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIN_BYTES, DinReader } from './din.ts';
import { Rebase } from './rebase.ts';
import type { TraceReaderOptions } from './trace-reader.ts';

const shown = (batches: readonly AccessBatch[]): string[] =>
  batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, i) => {
      const letter = ACCESS_LETTERS[batch.kind[i] as number];
      return `${letter} ${vaOfAccess(batch, i).toString(16)} ${batch.size[i]}`;
    }),
  );

function read(text: string, options: TraceReaderOptions = {}, cut = 0): string[] {
  const reader = new DinReader({ name: 't.din', ...options });
  const bytes = new TextEncoder().encode(text);
  const said = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut)), ...reader.end()];
  return [...shown(said), `${reader.lines} lines, ${reader.badLines} bad`];
}

const SAMPLE = `2 401ab70 here begins main
0 1fff000d38
1 FFFFFFFC
r 0x20 10

 w\t7f 1
i 8000 4\r
2 0`;

describe('DinReader', () => {
  it('reads traditional and extended lines, and takes a reference without size for a word', () => {
    expect(read(SAMPLE)).toEqual([
      'I 401ab70 4',
      'L 1fff000d38 4',
      'S fffffffc 4',
      'L 20 16',
      'S 7f 1',
      'I 8000 4',
      'I 0 4',
      '8 lines, 0 bad',
    ]);
  });

  it.each([
    ['5 80', 'begins with a label'],
    ['L 80', 'begins with a label'],
    ['012 80', 'begins with a label'],
    ['3 80', 'no reference of a program'],
    ['m 80 4', 'no reference of a program'],
    ['0', 'comes the address'],
    ['0 g0', 'comes the address'],
    ['0 1000000000000', 'more than 48 bits'],
    ['2 ffffffffffff', 'past 2^48'],
    ['r 80', 'comes the size'],
    ['r 80 z', 'comes the size'],
    ['w 80 0', 'size is 0'],
    ['w 80 10000', 'above 65535'],
  ])('refuses %s', (line, why) => {
    const text = `0 80\n${line}\n0 80\n`;
    expect(() => read(text)).toThrow(/TRACE_BAD_LINE: line 2 is no din reference/);
    expect(() => read(text)).toThrow(why);
    expect(read(text, { skipBadLines: true }).at(-1)).toBe('3 lines, 1 bad');
  });

  it('says the same whatever the chunks, the machine and the spelling', () => {
    const reference = fc.record({
      label: fc.constantFrom('0', '1', '2', 'r', 'w', 'i'),
      va: fc.oneof(fc.nat(2 ** 32 - 1), fc.nat(2 ** 37), fc.constantFrom(2 ** 32 - 4, 2 ** 32 - 2)),
      size: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 65535 })),
      odd: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(reference, { maxLength: 40 }), fc.nat(600), (references, cut) => {
        const lines = references.map(({ label, va, size, odd }) => {
          const end = label < '3' ? (odd ? ' 7 comment' : '') : ` ${size.toString(16)}`;
          return odd
            ? `\t${label}  0x${va.toString(16).toUpperCase()}${end}\r`
            : `${label} ${va.toString(16)}${end}`;
        });
        const expected = references.map(({ label, va, size }) => {
          const kind = '0r'.includes(label) ? 'L' : '1w'.includes(label) ? 'S' : 'I';
          return `${kind} ${va.toString(16)} ${label < '3' ? DIN_BYTES : size}`;
        });
        const text = `${lines.join('\n')}\n`;
        expect(read(text, { batchReferences: 7 }, Math.min(cut, text.length)).slice(0, -1)).toEqual(expected);
      }),
    );
  });

  it('minds the width of addresses, and rebases', () => {
    expect(() => read('0 80\n0 1fff000d38\n', { addressBits: 32 })).toThrow(
      /TRACE_ADDRESS_TOO_WIDE: line 2: 4 b/,
    );
    expect(() => read(`${'0 800000\n'.repeat(20)}`, { addressBits: 16 })).toThrow(/TRACE_ADDRESS_TOO_WIDE/);
    const rebase = new Rebase();
    expect(read('0 1fff000d38\n'.repeat(9), { addressBits: 32, rebase })[3]).toBe('L be000d38 4');
    expect(rebase.summary().references).toBe(9);
  });
});
