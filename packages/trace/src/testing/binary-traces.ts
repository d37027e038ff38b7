import { assert, TraceError } from '@tablewalk/base';
import { accessBatch, pushAccess, vaOfAccess } from '@tablewalk/contracts';
import type { AccessBatch, AccessKind } from '@tablewalk/contracts';
import { compress, decompress } from '@foxglove/wasm-zstd';
import type { Codec } from '@tablewalk/references';
import { BinaryTraceReader } from '../binary-reader.ts';
import { BinaryTraceWriter } from '../binary-writer.ts';
import type { TraceReader, TraceReaderOptions } from '../trace-reader.ts';

/** Good once `isLoaded` of the library is. */
export const zstd: Codec = { name: 'zstd', compress: (bytes) => compress(bytes, 1), decompress };

export type Reference = readonly [kind: number, va: number, size: number];

export function batchesOf(list: readonly Reference[], per: number): AccessBatch[] {
  const batches: AccessBatch[] = [];
  for (let from = 0; from < list.length; from += per) {
    const batch = accessBatch(per);
    for (const [kind, va, size] of list.slice(from, from + per))
      pushAccess(batch, kind as AccessKind, va, size);
    batches.push(batch);
  }
  return batches;
}

export function written(batches: readonly AccessBatch[], codec: Codec, source = 'a trace'): Uint8Array {
  const parts: number[] = [];
  const writer = new BinaryTraceWriter((bytes) => parts.push(...bytes), codec, source);
  for (const batch of batches) writer.batch(batch);
  writer.close();
  assert(parts.length === writer.bytes, 'a writer knows how much it wrote');
  return Uint8Array.from(parts);
}

/** All that a reader says, by chunks that end at `cuts`: references batch by batch, or the code of its refusal. */
export function said(reader: TraceReader, bytes: Uint8Array, cuts: readonly number[] = []): unknown[] {
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

export const read = (
  bytes: Uint8Array,
  options: TraceReaderOptions = {},
  cuts: readonly number[] = [],
): unknown[] => said(new BinaryTraceReader(zstd, { name: 't.twt', ...options }), bytes, cuts);

export const sample = (): Uint8Array =>
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
