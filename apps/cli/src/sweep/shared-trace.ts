import { TraceError } from '@tablewalk/base';
import { accessBatch } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import type { Codec } from '@tablewalk/references';
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { loadCodec } from '../codec.ts';
import type { BatchSource } from '../trace-file.ts';
import { decodeInto, isBlock } from './trace-memory.ts';
import type { SharedBatch, TraceMemory } from './trace-memory.ts';

/** The references of one process, in memory that threads share. */
export interface SharedTrace {
  readonly name: string;
  /** As the reader cut them: a run from here is the run from the file. */
  readonly batches: readonly SharedBatch[];
  readonly references: number;
  /** SHA-256 of the references, whatever file and compression they came in. */
  readonly sha256: string;
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
  const batches: SharedBatch[] = [];
  let references = 0;
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    if (!memory.append(batches, batch)) throw tooLarge(name, references, memory.limit);
    hashBatch(hash, batch);
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

const tooLarge = (name: string, references: number, limit: number): TraceError =>
  new TraceError('SWEEP_TRACE_TOO_LARGE', {
    what: `the traces do not fit in ${limit} bytes: ${references} references of ${name} were read, of more`,
    why: 'a sweep keeps its traces in memory for all workers, and all of them are compressed already',
    fix: 'run their first part with --max-refs N, take a shorter trace, or raise --trace-memory',
    at: name,
  });

/** The trace from its beginning, for one run. A batch is good until the next is asked for. */
export function sourceOf(trace: SharedTrace, onBatch: (references: number) => void): BatchSource {
  let next = 0;
  let codec: Codec | undefined;
  let decoded = accessBatch(0);
  return {
    async next() {
      const batch = trace.batches[next++];
      if (batch === undefined) return undefined;
      onBatch(batch.count);
      if (!isBlock(batch)) return batch;
      codec ??= await loadCodec();
      if (decoded.capacity < batch.count) decoded = accessBatch(batch.count);
      return decodeInto(decoded, batch, codec);
    },
  };
}
