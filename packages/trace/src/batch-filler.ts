import { hex, TraceError } from '@tablewalk/base';
import { accessBatch, AccessKind, copyAccesses } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import type { TraceReaderOptions } from './trace-reader.ts';

const DEFAULT_BATCH_REFERENCES = 32768;
/** So many are copied one by one: what `set` has to prepare takes as long. */
const FEW = 64;

/** What all readers do with a reference that they have read: move it, check it, put it into the batch. */
export class BatchFiller {
  references = 0;
  batch: AccessBatch;
  readonly capacity: number;
  /** The kind that a kind is taken for. */
  readonly kindOf: Uint8Array;
  /** First address that the machine does not have. */
  readonly vaEnd: number;
  private full: AccessBatch[] = [];

  /** Where the reader is, as a number of its `unit`s (lines, records), is asked for refusals alone. */
  constructor(
    private readonly options: TraceReaderOptions,
    private readonly unit: string,
    private readonly position: () => number,
  ) {
    this.capacity = options.batchReferences ?? DEFAULT_BATCH_REFERENCES;
    this.batch = this.emptyBatch();
    const load = AccessKind.load;
    this.kindOf = Uint8Array.from(options.accessesAsLoads === true ? [0, load, load, load] : [0, 1, 2, 3]);
    this.vaEnd = 2 ** (options.addressBits ?? 48);
  }

  /** `FILE:POSITION`. */
  readonly place = (): string => `${this.options.name ?? 'trace'}:${this.position()}`;

  /** Where a reference goes; refuses what the machine does not have. */
  placed(written: number, size: number): number {
    const va = this.options.rebase?.move(written, size, this.place) ?? written;
    if (va + size > this.vaEnd) throw this.tooWide(va, size);
    return va;
  }

  append(kind: AccessKind, written: number, size: number): void {
    const va = this.placed(written, size);
    const { batch } = this;
    const i = batch.count++;
    batch.kind[i] = this.kindOf[kind] as number;
    batch.vaLo[i] = va % 2 ** 32;
    batch.vaHi[i] = Math.floor(va / 2 ** 32);
    batch.size[i] = size;
    this.references += 1;
    if (batch.count === this.capacity) this.turnOver();
  }

  /** The same for the references of a batch, which are where they go, and for which there is room. */
  appendAll(staged: AccessBatch): void {
    const { batch, kindOf } = this;
    const { count, kind, vaLo, vaHi, size } = staged;
    const start = batch.count;
    if (count > FEW) copyAccesses(staged, 0, count, batch, start);
    else
      for (let i = 0; i < count; i++) {
        batch.kind[start + i] = kind[i] as number;
        batch.vaLo[start + i] = vaLo[i] as number;
        batch.vaHi[start + i] = vaHi[i] as number;
        batch.size[start + i] = size[i] as number;
      }
    batch.count += count;
    this.references += count;
    if (this.options.accessesAsLoads === true)
      for (let i = start; i < batch.count; i++) batch.kind[i] = kindOf[batch.kind[i] as number] as number;
  }

  /** Begins a new batch; the one so far is full. */
  turnOver(): void {
    this.full.push(this.batch);
    this.batch = this.emptyBatch();
  }

  /** The batches that became full since the last call. */
  taken(): AccessBatch[] {
    const { full } = this;
    if (full.length > 0) this.full = [];
    return full;
  }

  /** The same at the end of the trace, with what is left. */
  rest(): AccessBatch[] {
    if (this.batch.count > 0) this.turnOver();
    return this.taken();
  }

  private emptyBatch(): AccessBatch {
    const batch = this.options.spare?.pop() ?? accessBatch(this.capacity);
    batch.count = 0;
    return batch;
  }

  private tooWide(va: number, size: number): TraceError {
    const bits = Math.log2(this.vaEnd);
    const rebased = bits >= 32 ? 'pass --rebase (it moves them below 2^32 and says where to), or ' : '';
    return new TraceError('TRACE_ADDRESS_TOO_WIDE', {
      what: `${this.unit} ${this.position()}: ${size} bytes at ${hex(va)} do not fit in addresses of ${bits} bits`,
      why: 'the trace was captured on a machine with wider addresses',
      fix: `${rebased}use a machine with wider addresses`,
      at: this.place(),
    });
  }
}
