import { accessBatch } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { decodeReferences, openReferenceBlock, ReferenceEncoder } from '@tablewalk/references';
import type { ByteReader, ByteWriter } from './bytes.ts';
import { readNumbers } from './number-column.ts';

/** One for all histories: it keeps its buffers, and nothing of a batch. */
const encoder = new ReferenceEncoder();

/** A batch of references: natural, how many bytes; then a block as packages/references has it. */
export function writeReferences(out: ByteWriter, batch: AccessBatch): void {
  const block = encoder.encode(batch);
  out.natural(block.length);
  out.raw(block);
}

export function readReferences(from: ByteReader): AccessBatch {
  const length = from.count(1, 'bytes of references');
  const fail = (what: string): never => from.fail(what);
  const block = openReferenceBlock(from.bytes.subarray(from.pos, from.pos + length), fail);
  const batch = accessBatch(block.count);
  decodeReferences(block, batch, fail);
  from.pos += length;
  return batch;
}

/**
 * A batch as it was written before there were blocks: no more than read. Layout, in this order:
 *
 *     natural                    n, how many references (to REFERENCES_PER_BATCH_MAX)
 *     natural, (u8, natural)...  the distinct pairs of kind and size, by first appearance
 *     numbers                    n indices of pairs
 *     for each kind that occurs, by number:
 *       numbers                  the distance of each virtual address from its prediction
 *
 * The prediction of an address is where the reference of that kind before it ended.
 */
const REFERENCES_PER_BATCH_MAX = 2 ** 20;

const KINDS = 256;
const SIZES = 0x10000;

export function readReferenceColumns(from: ByteReader): AccessBatch {
  const count = from.natural();
  if (count > REFERENCES_PER_BATCH_MAX) from.fail(`a batch of ${count} references`);
  const kinds: number[] = [];
  const sizes: number[] = [];
  for (let left = from.count(2, 'pairs of kind and size'); left > 0; left--) {
    kinds.push(from.u8());
    const size = from.natural();
    if (size >= SIZES) from.fail(`a reference of ${size} bytes`);
    sizes.push(size);
  }
  const batch = accessBatch(count);
  batch.count = count;
  const counts = readPairs(from, batch, kinds, sizes);
  for (let of = 0; of < KINDS; of++)
    if ((counts[of] as number) > 0) readAddresses(from, batch, of, counts[of] as number);
  return batch;
}

/** Fills in kinds and sizes; answers how often each kind occurs. */
function readPairs(
  from: ByteReader,
  batch: AccessBatch,
  kinds: readonly number[],
  sizes: readonly number[],
): Int32Array {
  const counts = new Int32Array(KINDS);
  const pairs = readNumbers(from, batch.count, 0);
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i] as number;
    if (pair >= kinds.length) from.fail(`pair ${pair} of ${kinds.length}`);
    const kind = kinds[pair] as number;
    batch.kind[i] = kind;
    batch.size[i] = sizes[pair] as number;
    counts[kind] = (counts[kind] as number) + 1;
  }
  return counts;
}

function readAddresses(from: ByteReader, batch: AccessBatch, of: number, occurs: number): void {
  const distances = readNumbers(from, occurs);
  const { count, kind, vaLo, vaHi, size } = batch;
  let predicted = 0;
  for (let i = 0, n = 0; i < count; i++) {
    if (kind[i] !== of) continue;
    const va = predicted + (distances[n++] as number);
    if (va < 0 || va >= 2 ** 48) from.fail(`a virtual address of ${va}`);
    vaLo[i] = va >>> 0;
    vaHi[i] = Math.floor(va / 2 ** 32);
    predicted = va + (size[i] as number);
  }
}
