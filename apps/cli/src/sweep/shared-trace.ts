import { TraceError } from '@tablewalk/base';
import type { AccessBatch } from '@tablewalk/contracts';
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { BatchSource } from '../trace-file.ts';

/** Kind 1, low half 4, high half 2, size 2. */
export const BYTES_PER_REFERENCE = 9;

/** The references of one process, decoded into memory that threads share; nobody writes to it any more. */
export interface SharedTrace {
  readonly name: string;
  /** As the reader cut them: a run from here is the run from the file. */
  readonly batches: readonly AccessBatch[];
  readonly references: number;
  /** SHA-256 of the references, whatever file and compression they came in. */
  readonly sha256: string;
}

/** Bytes that are left for decoded traces; all traces of a sweep take from one. */
export class TraceMemory {
  private used = 0;

  constructor(private readonly limit: number) {}

  take(bytes: number, name: string, references: number): void {
    this.used += bytes;
    if (this.used <= this.limit) return;
    const most = Math.floor(this.limit / BYTES_PER_REFERENCE);
    throw new TraceError('SWEEP_TRACE_TOO_LARGE', {
      what: `the traces do not fit in ${this.limit} bytes: ${references} references of ${name} were read, of more`,
      why: `a sweep keeps them decoded, ${BYTES_PER_REFERENCE} bytes a reference, for all workers: ${most} references`,
      fix: 'run their first part with --max-refs N, take a shorter trace, or raise --trace-memory',
      at: name,
    });
  }
}

/**
 * Reads a trace once, to its end; or in whole batches until more than `enough` references are there, so that no run
 * that takes so many notices.
 */
export async function decodeShared(
  name: string,
  source: BatchSource,
  memory: TraceMemory,
  enough: number,
  onBatch: (references: number) => void = () => undefined,
): Promise<SharedTrace> {
  const hash = createHash('sha256');
  const batches: AccessBatch[] = [];
  let references = 0;
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    memory.take(batch.count * BYTES_PER_REFERENCE, name, references);
    hashBatch(hash, batch);
    batches.push(shared(batch));
    references += batch.count;
    onBatch(references);
    if (references > enough) break;
  }
  return { name, batches, references, sha256: hash.digest('hex') };
}

function hashBatch(hash: Hash, { count, kind, vaLo, vaHi, size }: AccessBatch): void {
  hash.update(`${count};`);
  for (const column of [kind, vaLo, vaHi, size]) hash.update(column.subarray(0, count));
}

/** A copy with no room to spare, on shared memory. */
function shared({ count, kind, vaLo, vaHi, size }: AccessBatch): AccessBatch {
  const memory = new SharedArrayBuffer(count * BYTES_PER_REFERENCE);
  const copy: AccessBatch = {
    count,
    capacity: count,
    vaLo: new Uint32Array(memory, 0, count),
    vaHi: new Uint16Array(memory, count * 4, count),
    size: new Uint16Array(memory, count * 6, count),
    kind: new Uint8Array(memory, count * 8, count),
  };
  copy.kind.set(kind.subarray(0, count));
  copy.vaLo.set(vaLo.subarray(0, count));
  copy.vaHi.set(vaHi.subarray(0, count));
  copy.size.set(size.subarray(0, count));
  return copy;
}

/** The trace from its beginning, for one run. */
export function sourceOf(trace: SharedTrace, onBatch: (references: number) => void): BatchSource {
  let next = 0;
  return {
    next() {
      const batch = trace.batches[next++];
      if (batch !== undefined) onBatch(batch.count);
      return Promise.resolve(batch);
    },
  };
}
