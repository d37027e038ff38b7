import { assert, TraceError } from '@tablewalk/base';
import type { Codec } from '@tablewalk/references';
import { MAGIC } from './binary-layout.ts';
import { BinaryTraceReader } from './binary-reader.ts';
import { CHAMPSIM_RECORD_BYTES, ChampSimReader } from './champsim.ts';
import { DinReader } from './din.ts';
import { LackeyReader } from './lackey.ts';
import type { TraceReader, TraceReaderOptions } from './trace-reader.ts';

export const TRACE_FORMATS = ['lackey', 'din', 'champsim', 'binary'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** So many bytes of a trace, or all of a shorter one, are enough to recognise it. */
export const RECOGNISE_BYTES = 4096;

const LACKEY = /^(?:I {2}| [LSM] |==\d+==|--\d+--)/;
const DIN = /^[ \t]*(?:[0-4]|[rwimcv])[ \t]+(?:0x)?[0-9a-f]+(?:[ \t]|\r?$)/im;
/** Of a name, less the ending of a compression. */
const NAMES: readonly (readonly [RegExp, TraceFormat])[] = [
  [/\.(?:lk|lackey)$/i, 'lackey'],
  [/\.x?din$/i, 'din'],
  [/champsim|\.trace$/i, 'champsim'],
];

/**
 * The format of a trace, by its first bytes after decompression, by its name where these do not tell.
 * Text that is neither is taken for lackey's, whose reader says what is wrong with it.
 */
export function recogniseTrace(head: Uint8Array, name: string): TraceFormat {
  // Also where the file was cut within the magic.
  if (MAGIC.subarray(0, Math.max(1, head.length)).every((byte, i) => head[i] === byte)) return 'binary';
  const isText = head.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
  if (isText) {
    const text = String.fromCharCode(...head).replace(/^(?:[ \t]*\r?\n)+/, '');
    if (LACKEY.test(text)) return 'lackey';
    if (DIN.test(text.split('\n', 1)[0] as string)) return 'din';
  } else if (seemsChampSim(head)) return 'champsim';
  const bare = name.replace(/\.(?:gz|xz)$/i, '');
  for (const [pattern, format] of NAMES) if (pattern.test(bare)) return format;
  if (isText) return 'lackey';
  throw new TraceError('TRACE_FORMAT_UNKNOWN', {
    what: `${name} is in no format of traces that is known`,
    why: `neither its first bytes nor its name tell; there are: ${TRACE_FORMATS.join(', ')}`,
    fix: 'name the format (--format in import, --trace-format in run), or decompress what is not gzip or xz',
    at: name,
  });
}

/** Do the records that are there have flags of 0 and 1, and an ip? */
function seemsChampSim(head: Uint8Array): boolean {
  const records = Math.floor(head.length / CHAMPSIM_RECORD_BYTES);
  for (let record = 0; record < records; record++) {
    const at = record * CHAMPSIM_RECORD_BYTES;
    const flags = (head[at + 8] as number) | (head[at + 9] as number);
    const top = (head[at + 6] as number) | (head[at + 7] as number);
    if (flags > 1 || top !== 0 || head.subarray(at, at + 6).every((byte) => byte === 0)) return false;
  }
  return records > 0;
}

/** The codec is for binary traces. */
export function createTraceReader(
  format: TraceFormat,
  codec: Codec | undefined,
  options: TraceReaderOptions,
): TraceReader {
  switch (format) {
    case 'lackey':
      return new LackeyReader(options);
    case 'din':
      return new DinReader(options);
    case 'champsim':
      return new ChampSimReader(options);
    case 'binary':
      assert(codec !== undefined, 'blocks of a binary trace are decompressed');
      return new BinaryTraceReader(codec, options);
  }
}
