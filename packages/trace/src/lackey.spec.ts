import { TraceError } from '@tablewalk/base';
import { ACCESS_LETTERS, vaOfAccess } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LackeyReader } from './lackey.ts';
import type { TraceReaderOptions } from './trace-reader.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const shown = (batches: readonly AccessBatch[]): string[] =>
  batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, i) => {
      const letter = ACCESS_LETTERS[batch.kind[i] as number];
      return `${letter} ${vaOfAccess(batch, i).toString(16)} ${batch.size[i]}`;
    }),
  );

/** Everything that a reader says of a text given in chunks, cut before the offsets in `cuts`. */
function read(text: string, options: TraceReaderOptions = {}, cuts: readonly number[] = []): string[] {
  const reader = new LackeyReader(options);
  const whole = bytes(text);
  const ends = cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b);
  ends.push(whole.length);
  const said: string[] = [];
  let start = 0;
  try {
    for (const end of ends) {
      said.push(...shown(reader.push(whole.subarray(start, end))));
      start = end;
    }
    said.push(...shown(reader.end()));
    said.push(`${reader.lines} lines, ${reader.badLines} bad, ${reader.firstBadLine}`);
  } catch (error) {
    said.push((error as Error).message);
  }
  return said;
}

const codeOf = (text: string, options: TraceReaderOptions = {}): string => {
  const reader = new LackeyReader({ name: 't.lk', ...options });
  try {
    reader.push(bytes(text));
    reader.end();
  } catch (error) {
    if (error instanceof TraceError) return error.message;
    throw error;
  }
  return 'read';
};

const SAMPLE = `==12== Lackey, an example Valgrind tool
I  0401ab70,3
 L 1fff000d38,8
 S 1fff000d30,16

 M 0421f5a0,4
I  FFFFFFFC,4
 L 00001fff000d38,512
==12== Counted 1 call`;

describe('LackeyReader', () => {
  it('reads the kinds, both common widths, others, and passes over what valgrind says itself', () => {
    const expected = [
      'I 401ab70 3',
      'L 1fff000d38 8',
      'S 1fff000d30 16',
      'M 421f5a0 4',
      'I fffffffc 4',
      'L 1fff000d38 512',
      '9 lines, 0 bad, undefined',
    ];
    expect(read(SAMPLE)).toEqual(expected);
    expect(read(SAMPLE.replaceAll('\n', '\r\n'))).toEqual(expected);
    expect(read(`${SAMPLE}\n`)).toEqual(expected);
  });

  it('says the same wherever the chunks are cut, one byte at a time too', () => {
    const text = `${SAMPLE}\nnonsense\n${'x'.repeat(600)}\n==1== ${'y'.repeat(600)}\nI  04000000,2`;
    const options = { skipBadLines: true, batchReferences: 3 };
    const whole = read(text, options);
    for (let cut = 0; cut <= text.length; cut++) expect(read(text, options, [cut])).toEqual(whole);
    expect(read(text, options, [...Array(text.length).keys()])).toEqual(whole);
    expect(whole.at(-1)).toBe(
      '13 lines, 2 bad, line 10 is no lackey reference: "nonsense"' +
        ' (a line begins with "I  ", " L ", " S " or " M ")',
    );
  });

  it('gives full batches as they fill, and the rest at the end', () => {
    const reader = new LackeyReader({ batchReferences: 4 });
    const text = bytes('I  04000000,2\n'.repeat(10));
    expect(reader.push(text).map((batch) => batch.count)).toEqual([4, 4]);
    expect(reader.references).toBe(10);
    expect(reader.end().map((batch) => batch.count)).toEqual([2]);
  });

  it.each<TraceReaderOptions>([
    {},
    { batchReferences: 3000 },
    { batchReferences: 4097, accessesAsLoads: true },
    { batchReferences: 50_000, addressBits: 40 },
  ])('a long trace reads as it does where no line is common, %o', (options) => {
    const line = (i: number): string => {
      const address = ((i * 2654435761) % 2 ** (i % 3 === 0 ? 39 : 31)).toString(16).padStart(8, '0');
      return `${['I ', ' L', ' S', ' M'][i % 4]} ${address},${1 + (i % 64)}`;
    };
    const lines = Array.from({ length: 20_000 }, (_, i) => line(i));
    const uncommon = read(`${lines.join('\r\n')}\r\n`, options);
    expect(uncommon).toHaveLength(20_001);
    expect(read(`${lines.join('\n')}\n`, options)).toEqual(uncommon);
  });

  it('takes stores and modifies as loads on request', () => {
    const text = 'I  04000000,2\n S 04000000,2\n M 04000000,2\r\n';
    const said = read(text, { accessesAsLoads: true });
    expect(said.slice(0, 3)).toEqual(['I 4000000 2', 'L 4000000 2', 'L 4000000 2']);
  });

  it.each([
    ['I 04000000,2', 'a line begins with'],
    ['J  04000000,2', 'a line begins with'],
    [' L  04000000,2', 'at least 8 hexadecimal digits'],
    ['I  400000,2', 'at least 8 hexadecimal digits'],
    ['I  04000g00,2', 'at least 8 hexadecimal digits'],
    ['I  0400000012', 'at least 8 hexadecimal digits'],
    ['I  1000000000000,2', 'more than 48 bits'],
    ['I  04000000,', 'size in bytes'],
    ['I  04000000,-2', 'size in bytes'],
    ['I  04000000,2 ', 'size in bytes'],
    ['I  04000000,0x2', 'size in bytes'],
    ['I  04000000,0', 'size is 0'],
    ['I  04000000,65536', 'above 65535'],
    ['I  ffffffffffff,2', 'past 2^48'],
    ['= 12 = text', 'a line begins with'],
    ['long', 'so long a line'],
    ['endless', 'so long a line'],
  ])('refuses %s', (shown, why) => {
    const long: Record<string, string> = { long: `I  ${'0'.repeat(300)},2`, endless: 'z'.repeat(1_000_000) };
    const line = long[shown] ?? shown;
    const message = codeOf(`I  04000000,2\n${line}\nI  04000000,2\n`);
    expect(message).toContain('TRACE_BAD_LINE: line 2 is no lackey reference');
    expect(message).toContain(why);
    expect(message).toContain('t.lk:2');
    expect(message.length).toBeLessThan(400);
    expect(codeOf(`I  04000000,2\n${line}`)).toBe(message);
    expect(codeOf(line, { skipBadLines: true })).toBe('read');
  });

  it.each([
    ['I  1fff000d38,4', 32, '4 bytes at 0x1fff000d38 do not fit'],
    ['I  fffffffe,4', 32, '4 bytes at 0xfffffffe do not fit'],
    ['I  04000000,4', 26, '4 bytes at 0x04000000 do not fit'],
    ['I  3fffffffff,4', 38, '4 bytes at 0x3fffffffff do not fit'],
  ])('refuses %s on a machine of %i bits', (line, addressBits, what) => {
    for (const skipBadLines of [false, true]) {
      const message = codeOf(`\n${line}\n`, { addressBits, skipBadLines });
      expect(message).toContain(`TRACE_ADDRESS_TOO_WIDE: line 2: ${what}`);
      expect(message.includes('--rebase')).toBe(addressBits >= 32);
    }
  });

  it('agrees with a parser by regular expression on text that was damaged at random', () => {
    const reference = fc
      .tuple(fc.constantFrom('I ', ' L', ' S', ' M'), fc.bigInt(0n, 2n ** 49n), fc.nat(70))
      .map(([kind, va, size]) => `${kind} ${(va >> (va % 30n)).toString(16).padStart(8, '0')},${size}`);
    const other = fc.constantFrom('', '==7== hello', '--7-- hello', '   ', '\r');
    const text = fc.array(fc.oneof(reference, reference, reference, other), { maxLength: 25 });
    const damage = fc.array(fc.tuple(fc.nat(400), fc.constantFrom(...'I LSM,0f9g=-\n\r')), { maxLength: 3 });
    const offsets = fc.array(fc.nat(500), { maxLength: 4 });
    fc.assert(
      fc.property(text, damage, offsets, (lines, hits, cuts) => {
        const characters = [...lines.join('\n')];
        for (const [at, character] of hits) if (at < characters.length) characters[at] = character;
        const text = characters.join('');
        const expected: string[] = [];
        let bad = 0;
        for (const one of text.split('\n')) {
          const clean = one.replace(/\r$/, '');
          if (/^(==\d+==|--\d+--)/.test(clean) || /^[ \t]*$/.test(clean)) continue;
          const match = /^(?:(I) | ([LSM])) ([0-9a-fA-F]{8,}),(\d+)$/.exec(clean);
          const va = Number(`0x${match?.[3] ?? '0'}`);
          const size = Number(match?.[4] ?? '0');
          if (match === null || size < 1 || size > 65535 || va + size > 2 ** 48) bad += 1;
          else expected.push(`${match[1] ?? match[2]} ${va.toString(16)} ${size}`);
        }
        const said = read(text, { skipBadLines: true, batchReferences: 7 }, cuts);
        expect(said.slice(0, -1)).toEqual(expected);
        expect(said.at(-1)).toContain(` ${bad} bad`);
      }),
      { numRuns: 300 },
    );
  });
});
