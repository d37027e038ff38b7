import { TraceError } from '@tablewalk/base';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** What is read into stays in the host's L2 cache until it is parsed. */
const PLAIN_BYTES = 2 ** 17;
const GZIP_BYTES = 2 ** 18;
const GZIP = [0x1f, 0x8b];
const XZ = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];

/**
 * The bytes of a file, decompressed, a chunk at a time; a chunk is good until the next is asked for. What a file
 * is compressed with is told by its first bytes.
 */
export async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  let compression = '';
  try {
    const head = headOf(path);
    const begins = (magic: readonly number[]): boolean => magic.every((byte, i) => head[i] === byte);
    compression = begins(GZIP) ? 'gzip' : begins(XZ) ? 'xz' : '';
    if (compression === '') yield* plainChunks(path);
    else yield* compression === 'gzip' ? gzipChunks(path) : xzChunks(path);
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError('TRACE_UNREADABLE', {
      what: `${path} cannot be read to its end`,
      why: error instanceof Error ? error.message : String(error),
      fix:
        compression === ''
          ? 'look at the file and its disk'
          : `the ${compression} file is damaged or cut short: make it again`,
      at: path,
    });
  }
}

function headOf(path: string): Uint8Array {
  const head = new Uint8Array(XZ.length);
  const file = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}

/** Into one buffer, and synchronously: a parser waits for each chunk anyhow, and the system reads ahead. */
function* plainChunks(path: string): Generator<Uint8Array> {
  const buffer = new Uint8Array(PLAIN_BYTES);
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const bytes = readSync(file, buffer);
      if (bytes === 0) return;
      yield buffer.subarray(0, bytes);
    }
  } finally {
    closeSync(file);
  }
}

async function* gzipChunks(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: GZIP_BYTES });
  const source = file.pipe(createGunzip({ chunkSize: GZIP_BYTES }));
  file.once('error', (error) => source.destroy(error));
  for await (const chunk of source) yield chunk as Uint8Array;
}

async function* xzChunks(path: string): AsyncGenerator<Uint8Array> {
  const module = await import('xz-decompress');
  const { XzReadableStream } = 'default' in module ? (module.default as typeof module) : module;
  const file = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
  const reader = new XzReadableStream(file).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
