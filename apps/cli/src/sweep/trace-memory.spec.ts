import { accessBatch, pushAccess } from '@tablewalk/contracts';
import type { AccessBatch, AccessKind } from '@tablewalk/contracts';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { loadCodec } from '../codec.ts';
import { decodeInto, isBlock, SLAB_BYTES, TraceMemory } from './trace-memory.ts';
import type { SharedBatch } from './trace-memory.ts';

const BATCH_REFERENCES = 2 ** 15;
const codec = await loadCodec();

type Reference = readonly [kind: number, va: number, size: number];
const batchOf = (count: number, reference: (i: number) => Reference): AccessBatch => {
  const batch = accessBatch(BATCH_REFERENCES);
  for (let i = 0; i < count; i++) {
    const [kind, va, size] = reference(i);
    pushAccess(batch, kind as AccessKind, va, size);
  }
  return batch;
};
/** Numbers without any pattern, below `end`. */
const scattered = (i: number, end: number): number =>
  Math.floor((((Math.sin(i) * 1e6) % 1) + 1) * 0.5 * end) % end;

/** A digest of the references of a batch. */
const said = ({ count, kind, vaLo, vaHi, size }: AccessBatch): string => {
  const hash = createHash('sha256');
  for (const column of [kind, vaLo, vaHi, size]) hash.update(column.subarray(0, count));
  return `${count} ${hash.digest('hex')}`;
};
const held = (batch: SharedBatch): string =>
  said(isBlock(batch) ? decodeInto(accessBatch(batch.count), batch, codec) : batch);
const memoryOf = (batch: SharedBatch): ArrayBufferLike =>
  isBlock(batch) ? batch.compressed.buffer : batch.vaLo.buffer;

it('every batch of every trace is what was put in, in columns or as a block, and slabs stay within the limit', () => {
  const batches = fc.array(
    fc.record({
      trace: fc.nat(2),
      count: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(BATCH_REFERENCES)),
      from: fc.nat(2 ** 47),
      scatter: fc.constantFrom(1, 2 ** 12, 2 ** 40),
    }),
    { minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(batches, fc.integer({ min: 2, max: 8 }), (list, slabs) => {
      const memory = new TraceMemory(slabs * SLAB_BYTES + 7, codec);
      const traces: SharedBatch[][] = [[], [], []];
      const given: string[][] = [[], [], []];
      for (const { trace, count, from, scatter } of list) {
        const batch = batchOf(count, (i) => [i % 4, from + 4 * i + scattered(i, scatter), 1 << (i % 3)]);
        if (!memory.append(traces[trace] ?? [], batch)) break;
        given[trace]?.push(said(batch));
        batch.vaLo.fill(0);
      }
      expect(traces.map((trace) => trace.map(held))).toEqual(given);
      expect(new Set(traces.flat().map(memoryOf)).size).toBeLessThanOrEqual(slabs);
    }),
    { numRuns: 30 },
  );
});

it('only as many batches become blocks as have to, and the last is refused that has no room as a block', () => {
  const batch = batchOf(BATCH_REFERENCES, (i) => [i % 2, scattered(i, 2 ** 12), 4]);
  const memory = new TraceMemory(4 * SLAB_BYTES, codec);
  const batches: SharedBatch[] = [];
  const columns = (): number => batches.filter((each) => !isBlock(each)).length;
  for (let i = 0; i < 4; i++) expect(memory.append(batches, batch)).toBe(true);
  expect(columns()).toBe(4);
  expect(memory.append(batches, batch)).toBe(true);
  expect([batches.length, columns()]).toEqual([5, 3]);
  while (memory.append(batches, batch));
  expect(columns()).toBe(0);
  expect(batches.length).toBeGreaterThan(4 * 3);
});

it('references without any pattern, which compress to more than their columns, are refused in time', () => {
  const wild = batchOf(BATCH_REFERENCES, (i) => [
    scattered(i, 256),
    scattered(i + 0.5, 2 ** 47),
    scattered(i + 0.7, 2 ** 16),
  ]);
  const memory = new TraceMemory(2 * SLAB_BYTES, codec);
  const batches: SharedBatch[] = [];
  let kept = 0;
  while (memory.append(batches, wild)) kept += 1;
  expect(kept).toBe(2);
  expect(batches.map(held)).toEqual([said(wild), said(wild)]);
});
