import { accessBatch, pushAccess, vaOfAccess } from '@tablewalk/contracts';
import type { AccessBatch, AccessKind } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundsOf, decodeReferences, openReferenceBlock } from './decode.ts';
import { ReferenceEncoder } from './encode.ts';

type Reference = readonly [kind: number, va: number, size: number];
const fail = (what: string): never => {
  throw new RangeError(what);
};
const batchOf = (references: readonly Reference[]): AccessBatch => {
  const batch = accessBatch(references.length);
  for (const [kind, va, size] of references) pushAccess(batch, kind as AccessKind, va, size);
  return batch;
};
const listed = (batch: AccessBatch): Reference[] =>
  Array.from({ length: batch.count }, (_, i) => [
    batch.kind[i] as number,
    vaOfAccess(batch, i),
    batch.size[i] as number,
  ]);
function decoded(bytes: Uint8Array): Reference[] {
  const block = openReferenceBlock(bytes, fail);
  const batch = accessBatch(block.count);
  decodeReferences(block, batch, fail);
  return listed(batch);
}

const near = fc.tuple(fc.nat(3), fc.integer({ min: -70, max: 70 }), fc.constantFrom(1, 2, 4, 8));
const anywhere = fc.tuple(
  fc.oneof(fc.nat(4), fc.nat(255)),
  fc.oneof(
    fc.nat(2 ** 32 - 1),
    fc.constantFrom(0, 2 ** 32 - 4, 2 ** 32, 2 ** 31, 2 ** 48 - 1),
    fc.maxSafeNat().map((n) => n % 2 ** 48),
  ),
  fc.oneof(fc.nat(16), fc.nat(0xffff)),
);
/** References beside the one before of their kind, at the edges of signs and of 4 GiB, and anywhere. */
const references = fc.array(fc.oneof(near, anywhere), { maxLength: 80 }).map((steps) => {
  const last = new Map<number, number>();
  return steps.map(([kind, step, size]): Reference => {
    const va = Math.abs(step) > 70 ? step : Math.max(0, (last.get(kind) ?? 2 ** 32 - 40) + step);
    const kept = va % 2 ** 48;
    last.set(kind, kept);
    return [kind, kept, size];
  });
});

describe('blocks of references', () => {
  it('say what was put in, whatever the encoder had before', () => {
    const encoder = new ReferenceEncoder();
    fc.assert(
      fc.property(references, (list) => {
        expect(decoded(encoder.encode(batchOf(list)))).toEqual(list);
      }),
      { numRuns: 500 },
    );
  });

  it('hold more kinds, sizes and forms than a byte has', () => {
    const list = Array.from({ length: 2000 }, (_, i): Reference => [i % 7, i * 2 ** 20, (i * 37) % 900]);
    expect(decoded(new ReferenceEncoder().encode(batchOf(list)))).toEqual(list);
  });

  it('tell their bounds before they are decoded', () => {
    const encoder = new ReferenceEncoder();
    const many = Array.from({ length: 400 }, (_, i): Reference => [i % 7, 2 ** 40 + i, 100 + i]);
    fc.assert(
      fc.property(references, fc.boolean(), (some, escapes) => {
        // Where the dictionary is full, `some` may be all escapes.
        const list = escapes ? [...many, ...some] : some;
        const highs = list.map(([, va]) => Math.floor(va / 2 ** 32));
        expect(boundsOf(openReferenceBlock(encoder.encode(batchOf(list)), fail))).toEqual({
          kindMax: Math.max(0, ...list.map(([kind]) => kind)),
          sizeMin: Math.min(0xffff, ...list.map(([, , size]) => size)),
          high: highs.reduce((all, high) => all | high, 0),
        });
      }),
    );
  });

  it('cost a byte for each of the instructions that follow one another', () => {
    const list = Array.from({ length: 1000 }, (_, i): Reference => [0, 0x8000 + 4 * i, 4]);
    const bytes = new ReferenceEncoder().encode(batchOf(list));
    expect(bytes.length).toBeLessThan(1000 + 50);
    expect(decoded(bytes)).toEqual(list);
  });

  it('that are damaged are refused, or say something else; they are never read beyond', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(references, flips, fc.nat(3), (list, hits, cut) => {
        const bytes = new ReferenceEncoder().encode(batchOf(list)).slice();
        for (const [at, bit] of hits)
          bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ (1 << bit);
        try {
          const found = decoded(bytes.subarray(0, bytes.length - cut));
          expect(cut).toBe(0);
          for (const [, va] of found) expect(Number.isSafeInteger(va)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
