import { vaOfAccess } from '@tablewalk/contracts';
import { isLoaded } from '@foxglove/wasm-zstd';
import { plainCodec } from '@tablewalk/references';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { frameCrc } from './binary-layout.ts';
import { LackeyReader } from './lackey.ts';
import { Rebase } from './rebase.ts';
import { batchesOf, read, said, sample, written, zstd } from './testing/binary-traces.ts';
import type { Reference } from './testing/binary-traces.ts';
import type { TraceReaderOptions } from './trace-reader.ts';

beforeAll(async () => {
  await isLoaded;
});

const reference: fc.Arbitrary<Reference> = fc.tuple(
  fc.nat(3),
  fc.oneof(fc.nat(2 ** 14), fc.nat(2 ** 32 - 2 ** 17), fc.nat(2 ** 37)),
  fc.oneof(fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 1, max: 65535 })),
);
const references = fc.array(reference, { maxLength: 60 });

describe('binary traces', () => {
  it('give back what was written, wherever the chunks are cut, whatever blocks and batches hold', () => {
    const cuts = fc.array(fc.nat(2000), { maxLength: 6 });
    const per = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(
        references,
        per,
        per,
        cuts,
        fc.constantFrom(zstd, plainCodec),
        (list, inBlock, inBatch, cuts, codec) => {
          const bytes = written(batchesOf(list, inBlock), codec);
          const expected: unknown[] = batchesOf(list, inBatch).map((batch) =>
            Array.from({ length: batch.count }, (_, i) => [
              batch.kind[i],
              vaOfAccess(batch, i),
              batch.size[i],
            ]),
          );
          expect(read(bytes, { batchReferences: inBatch }, cuts)).toEqual([...expected, list.length]);
        },
      ),
    );
  });

  it('say the same as the text that they were made from: rebased, on narrow machines, stores as loads', () => {
    const line = ([kind, va, size]: Reference): string =>
      `${['I ', ' L', ' S', ' M'][kind]} ${va.toString(16).padStart(8, '0')},${size}\n`;
    const options = fc.record({
      addressBits: fc.constantFrom(20, 32, 36, 48),
      accessesAsLoads: fc.boolean(),
      rebased: fc.boolean(),
      batchReferences: fc.constantFrom(5, 1000),
    });
    fc.assert(
      fc.property(references, options, (list, { rebased, ...options }) => {
        const text = new TextEncoder().encode(list.map(line).join(''));
        const [one, other] = [new Rebase(), new Rebase()];
        const told = (rebase: Rebase): TraceReaderOptions => ({ ...options, ...(rebased ? { rebase } : {}) });
        const ofText = said(new LackeyReader(told(one)), text);
        const ofBinary = read(written(batchesOf([...list, ...list], 50), plainCodec), told(other));
        if (typeof ofText.at(-1) === 'string') expect(ofBinary.at(-1)).toBe(ofText.at(-1));
        else {
          const twice = said(new LackeyReader(told(new Rebase())), Uint8Array.from([...text, ...text]));
          expect(ofBinary).toEqual(twice);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('tell a cut: after every byte', () => {
    const bytes = sample();
    for (let length = 0; length < bytes.length; length++)
      expect(read(bytes.subarray(0, length)).at(-1)).toBe('TRACE_TRUNCATED');
    expect(read(bytes).at(-1)).toBe(50);
  });

  it('tell a flip of any bit', () => {
    const bytes = sample();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(read(flipped).at(-1)).toMatch(/^TRACE_(DAMAGED|TRUNCATED)$/);
    }
  });

  /** A frame whose CRC agrees. */
  function frame(type: number, payload: Uint8Array, plainBytes: number, count: number): number[] {
    const bytes = new Uint8Array(17 + payload.length);
    const view = new DataView(bytes.buffer);
    bytes[0] = type;
    bytes.set(payload, 17);
    view.setUint32(1, payload.length, true);
    view.setUint32(5, plainBytes, true);
    view.setUint32(9, count, true);
    view.setUint32(13, frameCrc(bytes), true);
    return [...bytes];
  }
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const forged = (head: unknown, ...rest: readonly number[][]): unknown => {
    const magic = [...sample().subarray(0, 8)];
    return read(Uint8Array.from([...magic, ...frame(1, json(head), 0, 0), ...rest.flat()])).at(-1);
  };

  it('whose checksums agree are not believed for that', () => {
    const head = { format: 1, codec: '', source: '' };
    expect(forged({ ...head, format: 3 })).toBe('TRACE_VERSION');
    expect(forged({ ...head, codec: 'lz4' })).toBe('TRACE_VERSION');
    for (const wrong of [{ codec: 7 }, { source: 7 }, { format: '1' }, { format: 0 }, { format: 1.5 }])
      expect(forged({ ...head, ...wrong })).toBe('TRACE_DAMAGED');
    expect(forged(7)).toBe('TRACE_DAMAGED');
    const garbage = new Uint8Array(300).fill(7);
    expect(forged(head, frame(2, garbage, 300, 20))).toBe('TRACE_DAMAGED');
    expect(forged({ ...head, codec: 'zstd' }, frame(2, garbage, 300, 20))).toBe('TRACE_DAMAGED');
    expect(forged({ ...head, codec: 'zstd' }, frame(2, garbage, 2 ** 31, 20))).toBe('TRACE_DAMAGED');
    expect(forged(head, frame(2, garbage, 300, 2 ** 17))).toBe('TRACE_DAMAGED');
    const close = (references: number): number[] =>
      frame(3, json({ references, blocks: 0, addressBits: 0 }), 0, 0);
    expect(forged(head, close(0))).toBe(0);
    expect(forged(head, close(1))).toBe('TRACE_DAMAGED');
    const linked = { ...head, format: 2 };
    expect(forged(linked, close(0))).toBe('TRACE_DAMAGED');
    expect(forged(linked, frame(2, garbage.subarray(0, 7), 7, 1))).toBe('TRACE_DAMAGED');
    // A length that would have the reader wait, and keep, without end.
    expect(forged(head, frame(2, garbage, 300, 20).with(4, 0x7f))).toBe('TRACE_DAMAGED');
  });

  it('do not bring in kinds or sizes that no trace has', () => {
    for (const bad of [
      [4, 0x8000, 4],
      [0, 0x8000, 0],
    ] as const) {
      const bytes = written(batchesOf([[0, 0x8000, 4], bad], 2), zstd);
      expect(read(bytes)).toEqual(['TRACE_DAMAGED']);
      expect(read(bytes, { batchReferences: 1 })).toEqual(['TRACE_DAMAGED']);
    }
  });
});
