import { TraceError } from '@tablewalk/base';
import type { AccessBatch } from '@tablewalk/contracts';
import { createTraceReader, Rebase, RECOGNISE_BYTES, recogniseTrace } from '@tablewalk/trace';
import type { TraceCounts, TraceFormat, TraceReader, TraceReaderOptions } from '@tablewalk/trace';
import { existsSync, statSync } from 'node:fs';
import { loadCodec } from './codec.ts';
import { chunksOf } from './trace-chunks.ts';

/** Where a process's references come from, one batch at a time; undefined: no more. */
export interface BatchSource {
  next(): Promise<AccessBatch | undefined>;
}

export interface TraceFileOptions extends Omit<TraceReaderOptions, 'name' | 'rebase' | 'spare'> {
  /** Fold addresses of 2^32 and above into 32 bits. */
  readonly rebase?: boolean;
  /** What the file is; told by its first bytes, else by its name, unless given. */
  readonly format?: TraceFormat;
  /** A batch is good until the next is asked for; else it is the caller's. */
  readonly reuse?: boolean;
}

/** A binary trace says so much in few bytes that its reader gets no more at a time. */
const BINARY_PIECE_BYTES = 4096;
const NOTHING_READ: TraceCounts = { references: 0, badLines: 0, firstBadLine: undefined };

/** A trace in any format, plain, gzip or xz, streamed: memory does not depend on its length. */
export class TraceFile implements BatchSource {
  readonly rebase: Rebase | undefined;
  private opened: { readonly format: TraceFormat; readonly reader: TraceReader } | undefined;
  private readonly chunks: AsyncIterator<Uint8Array>;
  /** Bytes that were read, and not yet given to the reader. */
  private bytes: Uint8Array = new Uint8Array(0);
  private waiting: AccessBatch[] = [];
  private given = 0;
  private readonly spare: AccessBatch[] = [];
  private ended = false;

  constructor(
    readonly path: string,
    private readonly options: TraceFileOptions = {},
  ) {
    if (!existsSync(path))
      throw new TraceError('TRACE_MISSING', {
        what: `there is no trace file ${path}`,
        fix: 'correct the path',
      });
    if (!statSync(path).isFile())
      throw new TraceError('TRACE_MISSING', { what: `${path} is no file`, fix: 'name a trace file' });
    this.rebase = options.rebase === true ? new Rebase() : undefined;
    this.chunks = chunksOf(path)[Symbol.asyncIterator]();
  }

  /** What has been read so far. */
  get reader(): TraceCounts {
    return this.opened?.reader ?? NOTHING_READ;
  }

  /** Known when the first batch is there. */
  get format(): TraceFormat | undefined {
    return this.opened?.format;
  }

  async next(): Promise<AccessBatch | undefined> {
    const before = this.waiting[this.given - 1];
    if (before !== undefined && this.options.reuse === true) this.spare.push(before);
    while (this.given === this.waiting.length) {
      if (this.ended) return undefined;
      this.given = 0;
      this.waiting = await this.more();
    }
    return this.waiting[this.given++];
  }

  private async more(): Promise<AccessBatch[]> {
    const { reader, format } = (this.opened ??= await this.open());
    if (this.bytes.length === 0) {
      const { done, value } = await this.chunks.next();
      this.ended = done === true;
      if (done === true) return this.last(reader);
      this.bytes = value;
    }
    const length = format === 'binary' ? BINARY_PIECE_BYTES : this.bytes.length;
    const piece = this.bytes.subarray(0, length);
    this.bytes = this.bytes.subarray(length);
    return reader.push(piece);
  }

  /** What is left at the end. A file without any reference is taken for a mistake, not for a short trace. */
  private last(reader: TraceReader): AccessBatch[] {
    const batches = reader.end();
    if (reader.references > 0) return batches;
    throw new TraceError('TRACE_EMPTY', {
      what: `${this.path} holds no reference`,
      why:
        reader.badLines > 0
          ? `${reader.badLines} malformed lines were passed over`
          : 'there is nothing to run',
      fix: 'look at how it was captured; lackey needs --trace-mem=yes',
      at: this.path,
    });
  }

  /** Reads until the format can be told. */
  private async open(): Promise<{ format: TraceFormat; reader: TraceReader }> {
    let head = new Uint8Array(0);
    while (head.length < RECOGNISE_BYTES) {
      const { done, value } = await this.chunks.next();
      if (done === true) break;
      const longer = new Uint8Array(head.length + value.length);
      longer.set(head);
      longer.set(value, head.length);
      head = longer;
    }
    this.bytes = head;
    const { format: told, rebase: _rebase, reuse: _reuse, ...options } = this.options;
    const format = told ?? recogniseTrace(head.subarray(0, RECOGNISE_BYTES), this.path);
    const codec = format === 'binary' ? await loadCodec() : undefined;
    const reader = createTraceReader(format, codec, {
      ...options,
      name: this.path,
      spare: this.spare,
      ...(this.rebase === undefined ? {} : { rebase: this.rebase }),
    });
    return { format, reader };
  }
}
