import { TraceError } from '@tablewalk/base';
import { accessBatch, pushAccess, vaOfAccess } from '@tablewalk/contracts';
import type { AccessBatch, AccessKind } from '@tablewalk/contracts';
import { compress, decompress, isLoaded } from '@foxglove/wasm-zstd';
import { plainCodec } from '@tablewalk/references';
import type { Codec } from '@tablewalk/references';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { BinaryTraceReader } from './binary-reader.ts';
import { BinaryTraceWriter, frameCrc } from './binary-writer.ts';
import { LackeyReader } from './lackey.ts';
import { Rebase } from './rebase.ts';
import type { TraceReader, TraceReaderOptions } from './trace-reader.ts';

const zstd: Codec = { name: 'zstd', compress: (bytes) => compress(bytes, 1), decompress };
beforeAll(async () => {
  await isLoaded;
});

type Reference = readonly [kind: number, va: number, size: number];
const reference: fc.Arbitrary<Reference> = fc.tuple(
  fc.nat(3),
  fc.oneof(fc.nat(2 ** 14), fc.nat(2 ** 32 - 2 ** 17), fc.nat(2 ** 37)),
  fc.oneof(fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 1, max: 65535 })),
);
const references = fc.array(reference, { maxLength: 60 });

function batchesOf(list: readonly Reference[], per: number): AccessBatch[] {
  const batches: AccessBatch[] = [];
  for (let from = 0; from < list.length; from += per) {
    const batch = accessBatch(per);
    for (const [kind, va, size] of list.slice(from, from + per))
      pushAccess(batch, kind as AccessKind, va, size);
    batches.push(batch);
  }
  return batches;
}

function written(batches: readonly AccessBatch[], codec: Codec): Uint8Array {
  const parts: number[] = [];
  const writer = new BinaryTraceWriter((bytes) => parts.push(...bytes), codec, 'a trace');
  for (const batch of batches) writer.batch(batch);
  writer.close();
  expect(parts.length).toBe(writer.bytes);
  return Uint8Array.from(parts);
}

/** All that a reader says, by chunks that end at `cuts`: references batch by batch, or the code of its refusal. */
function said(reader: TraceReader, bytes: Uint8Array, cuts: readonly number[] = []): unknown[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const all: unknown[] = [];
  const tell = (batches: readonly AccessBatch[]): void => {
    for (const batch of batches)
      all.push(
        Array.from({ length: batch.count }, (_, i) => [batch.kind[i], vaOfAccess(batch, i), batch.size[i]]),
      );
  };
  let start = 0;
  try {
    for (const end of ends) tell(reader.push(bytes.slice(start, (start = end))));
    tell(reader.end());
    all.push(reader.references);
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    all.push(error.code);
  }
  return all;
}
const read = (bytes: Uint8Array, options: TraceReaderOptions = {}, cuts: readonly number[] = []): unknown[] =>
  said(new BinaryTraceReader(zstd, { name: 't.twt', ...options }), bytes, cuts);

const sample = (): Uint8Array =>
  written(
    batchesOf(
      Array.from({ length: 50 }, (_, i): Reference => [
        i % 4,
        0x8000 + 4 * i + (i % 3 === 0 ? 2 ** 33 : 0),
        4,
      ]),
      20,
    ),
    zstd,
  );

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

  it('are refused when frames are gone, twice there, in another order, or bytes follow', () => {
    const bytes = sample();
    const starts = [8];
    const view = new DataView(bytes.buffer);
    for (let at = 8; at < bytes.length;) starts.push((at += 17 + view.getUint32(at + 1, true)));
    const frames = starts.slice(1).map((end, i) => bytes.subarray(starts[i], end));
    expect(frames).toHaveLength(5);
    const [head, a, b, c, close] = frames as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
    const file = (...parts: readonly Uint8Array[]): Uint8Array =>
      Uint8Array.from([bytes.subarray(0, 8), ...parts].flatMap((part) => [...part]));
    expect(read(file(head, a, b, c, close)).at(-1)).toBe(50);
    for (const wrong of [
      file(head, a, c, close),
      file(head, a, a, b, c, close),
      file(a, head, b, c, close),
      file(head, head, a, b, c, close),
      file(head, a, b, c, close, close),
      file(head, a, b, c, close, Uint8Array.of(0)),
    ])
      expect(read(wrong).at(-1)).toBe('TRACE_DAMAGED');
  });

  /** A frame whose CRC agrees. */
  function frame(type: number, payload: Uint8Array, plainBytes: number, count: number): number[] {
    const head = new Uint8Array(17);
    const view = new DataView(head.buffer);
    head[0] = type;
    view.setUint32(1, payload.length, true);
    view.setUint32(5, plainBytes, true);
    view.setUint32(9, count, true);
    view.setUint32(13, frameCrc(head, payload), true);
    return [...head, ...payload];
  }
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const forged = (head: unknown, ...rest: readonly number[][]): unknown => {
    const magic = [...sample().subarray(0, 8)];
    return read(Uint8Array.from([...magic, ...frame(1, json(head), 0, 0), ...rest.flat()])).at(-1);
  };

  it('whose checksums agree are not believed for that', () => {
    const head = { format: 1, codec: '', source: '' };
    expect(forged({ ...head, format: 2 })).toBe('TRACE_VERSION');
    expect(forged({ ...head, codec: 'lz4' })).toBe('TRACE_VERSION');
    expect(forged({ ...head, codec: 7 })).toBe('TRACE_DAMAGED');
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
