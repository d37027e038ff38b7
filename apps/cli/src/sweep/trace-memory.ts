import { assert } from '@tablewalk/base';
import { copyAccesses } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { decodeReferences, openReferenceBlock, ReferenceEncoder } from '@tablewalk/references';
import type { Codec } from '@tablewalk/references';

/** Kind 1, low half 4, high half 2, size 2. */
export const BYTES_PER_REFERENCE = 9;
/** As many as readers put into a batch. */
const SLAB_REFERENCES = 2 ** 15;
export const SLAB_BYTES = SLAB_REFERENCES * BYTES_PER_REFERENCE;

/** A batch that is compressed as in a binary trace: 0.3 to 0.6 bytes a reference. */
export interface BatchBlock {
  readonly count: number;
  readonly compressed: Uint8Array;
  readonly plainBytes: number;
}

/** A batch in shared memory, in one form or the other. Nobody writes to it once all traces have been read. */
export type SharedBatch = AccessBatch | BatchBlock;

export const isBlock = (batch: SharedBatch): batch is BatchBlock => 'compressed' in batch;

/** Where a batch is whose columns have a slab to themselves. */
interface Columns {
  readonly batch: AccessBatch;
  readonly slab: SharedArrayBuffer;
  readonly batches: SharedBatch[];
  readonly index: number;
}

/**
 * The memory that the traces of a sweep have together, in slabs. A slab holds the columns of one batch, or the blocks
 * of many. Batches have columns as long as there is room, because a block is decoded anew by each run. When there is
 * none, the last batches that have columns become blocks, one after the other, and what follows lies in their slabs.
 */
export class TraceMemory {
  private readonly encoder = new ReferenceEncoder();
  private readonly columns: Columns[] = [];
  private slabs = 0;
  /** The rest of the slab that blocks are put into. */
  private room: Uint8Array = new Uint8Array(0);

  /** `limit` in bytes. */
  constructor(
    readonly limit: number,
    private readonly codec: Codec,
  ) {}

  /** Appends a copy of a batch to those of its trace; false: there is no room, even if all batches are blocks. */
  append(batches: SharedBatch[], batch: AccessBatch): boolean {
    assert(batch.count <= SLAB_REFERENCES, `a batch of ${batch.count} references`);
    if ((this.slabs + 1) * SLAB_BYTES <= this.limit) {
      this.slabs += 1;
      const slab = new SharedArrayBuffer(SLAB_BYTES);
      const copy = columnsIn(slab, batch);
      this.columns.push({ batch: copy, slab, batches, index: batches.push(copy) - 1 });
      return true;
    }
    const block = this.block(batch);
    while (block.compressed.length > this.room.length) if (!this.clearSlab()) return false;
    batches.push(this.placed(block));
    return true;
  }

  /** Makes a block of the last columns, at the beginning of their own slab. */
  private clearSlab(): boolean {
    const last = this.columns.pop();
    if (last === undefined) return false;
    const block = this.block(last.batch);
    if (block.compressed.length > SLAB_BYTES) return false;
    this.room = new Uint8Array(last.slab);
    last.batches[last.index] = this.placed(block);
    return true;
  }

  private block(batch: AccessBatch): BatchBlock {
    const plain = this.encoder.encode(batch);
    return { count: batch.count, compressed: this.codec.compress(plain), plainBytes: plain.length };
  }

  private placed({ compressed, ...block }: BatchBlock): BatchBlock {
    const place = this.room.subarray(0, compressed.length);
    place.set(compressed);
    this.room = this.room.subarray(compressed.length);
    return { ...block, compressed: place };
  }
}

/** A copy of a batch at the beginning of a slab. */
function columnsIn(slab: SharedArrayBuffer, batch: AccessBatch): AccessBatch {
  const { count } = batch;
  const copy: AccessBatch = {
    count,
    capacity: count,
    vaLo: new Uint32Array(slab, 0, count),
    vaHi: new Uint16Array(slab, count * 4, count),
    size: new Uint16Array(slab, count * 6, count),
    kind: new Uint8Array(slab, count * 8, count),
  };
  copyAccesses(batch, 0, count, copy);
  return copy;
}

/** Puts the references of a block into `batch`, in place of what it had. */
export function decodeInto(
  batch: AccessBatch,
  { compressed, plainBytes }: BatchBlock,
  codec: Codec,
): AccessBatch {
  batch.count = 0;
  const plain = codec.decompress(compressed, plainBytes);
  decodeReferences(openReferenceBlock(plain, damaged), batch, damaged);
  return batch;
}

function damaged(what: string): never {
  throw new RangeError(`shared memory was written to: ${what}`);
}
