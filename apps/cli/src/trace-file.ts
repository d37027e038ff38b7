import { TraceError } from '@tablewalk/base';
import type { AccessBatch } from '@tablewalk/contracts';
import { LackeyReader, Rebase } from '@tablewalk/trace';
import type { LackeyOptions } from '@tablewalk/trace';
import { createReadStream, existsSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Where a process's references come from, one batch at a time; undefined: no more. */
export interface BatchSource {
  next(): Promise<AccessBatch | undefined>;
}

const CHUNK_BYTES = 256 * 1024;

export interface TraceFileOptions extends Omit<LackeyOptions, 'name' | 'rebase'> {
  /** Fold addresses of 2^32 and above into 32 bits. */
  readonly rebase?: boolean;
}

/** A valgrind lackey text, plain or gzip, streamed: memory does not depend on its length. */
export class TraceFile implements BatchSource {
  readonly reader: LackeyReader;
  readonly rebase: Rebase | undefined;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private readonly waiting: AccessBatch[] = [];
  private ended = false;

  constructor(
    readonly path: string,
    { rebase = false, ...options }: TraceFileOptions = {},
  ) {
    if (!existsSync(path))
      throw new TraceError('TRACE_MISSING', {
        what: `there is no trace file ${path}`,
        fix: 'correct the path',
      });
    if (!statSync(path).isFile())
      throw new TraceError('TRACE_MISSING', { what: `${path} is no file`, fix: 'name a trace file' });
    this.rebase = rebase ? new Rebase() : undefined;
    this.reader = new LackeyReader({
      ...options,
      name: path,
      ...(this.rebase === undefined ? {} : { rebase: this.rebase }),
    });
    this.chunks = chunksOf(path)[Symbol.asyncIterator]();
  }

  async next(): Promise<AccessBatch | undefined> {
    while (this.waiting.length === 0 && !this.ended) {
      const { done, value } = await this.chunks.next();
      if (done === true) {
        this.ended = true;
        this.waiting.push(...this.reader.end());
      } else this.waiting.push(...this.reader.push(value));
    }
    return this.waiting.shift();
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const source: Readable = path.endsWith('.gz') ? file.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : file;
  file.once('error', (error) => source.destroy(error));
  try {
    for await (const chunk of source) yield chunk as Uint8Array;
  } catch (error) {
    throw new TraceError('TRACE_UNREADABLE', {
      what: `${path} cannot be read to its end`,
      why: error instanceof Error ? error.message : String(error),
      fix: path.endsWith('.gz')
        ? 'the gzip file is damaged or cut short: make it again'
        : 'look at the file and its disk',
      at: path,
    });
  }
}
