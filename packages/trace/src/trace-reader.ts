import type { AccessBatch } from '@tablewalk/contracts';
import type { Rebase } from './rebase.ts';

export interface TraceReaderOptions {
  /** Named in errors: the file, say. */
  readonly name?: string;
  /** Virtual address bits of the machine, 12 to 48; wider addresses are refused. Default 48. */
  readonly addressBits?: number;
  /** Count malformed lines or records and go on, instead of refusing the first. */
  readonly skipBadLines?: boolean;
  /** Take each store and each modify as one load (golden/traces, `allLoads`). */
  readonly accessesAsLoads?: boolean;
  /** Fold addresses of 2^32 and above; its `summary` says what it did. One for each trace. */
  readonly rebase?: Rebase;
  /** References in a batch. Default 32768. */
  readonly batchReferences?: number;
  /** Batches of that size that nobody needs any more, put there at any time: they are filled before one is made. */
  readonly spare?: AccessBatch[];
}

/** What a reader has found so far. */
export interface TraceCounts {
  readonly references: number;
  /** Malformed lines or records passed over (`skipBadLines`), and what was wrong with the first. */
  readonly badLines: number;
  readonly firstBadLine: string | undefined;
}

/**
 * Reads a trace as it comes, in chunks cut anywhere, into batches of a fixed size. Memory stays
 * constant for chunks of a constant size. A refusal is final: after a TraceError the reader must be
 * thrown away.
 */
export interface TraceReader extends TraceCounts {
  /** Takes the next bytes, and keeps none of them; answers the batches that they filled, which are the caller's. */
  push(chunk: Uint8Array): AccessBatch[];
  /** The end of the trace; answers what is left. */
  end(): AccessBatch[];
}
