import { TraceError } from '@tablewalk/base';
import { blockBytesMax } from '@tablewalk/references';

/**
 * A binary trace. Numbers have their low byte first.
 *
 *     magic           8 bytes
 *     frame, head     JSON: BinaryTraceHead
 *     frame, block... references (packages/references, layout.ts), compressed as the head says
 *     frame, close    JSON: BinaryTraceClose; the file ends with it
 *
 * A frame is u8 its type, u32 n, u32 bytes before compression (as n, where nothing is compressed), u32 how
 * many references, u32 CRC-32 of all of the frame but these four bytes; then n bytes. Each block stands
 * alone. A file without its close was cut.
 */
export const MAGIC = Uint8Array.of(0x89, 0x54, 0x57, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
export const BINARY_TRACE_FORMAT = 1;
export const FRAME = { head: 1, block: 2, close: 3 } as const;
export const FRAME_BYTES = 17;
export const CRC_AT = 13;

/** No block has more references, and no JSON more bytes. */
export const BLOCK_REFERENCES_MAX = 2 ** 16;
export const JSON_BYTES_MAX = 2 ** 16;
/** What a compressor may add to bytes that it cannot compress. */
const COMPRESSION_SLACK = 2 ** 12;
export const payloadBytesMax = (type: number): number =>
  type === FRAME.block ? blockBytesMax(BLOCK_REFERENCES_MAX) + COMPRESSION_SLACK : JSON_BYTES_MAX;

export interface BinaryTraceHead {
  readonly format: number;
  /** What blocks are compressed with: a Codec's name. */
  readonly codec: string;
  /** What the trace was made from, for people. */
  readonly source: string;
}

export interface BinaryTraceClose {
  readonly references: number;
  readonly blocks: number;
  /** The narrowest addresses that the trace fits in. */
  readonly addressBits: number;
}

/** The file says what cannot be true. `at` names the file and the byte. */
export const damagedTrace = (what: string, at: string): TraceError =>
  new TraceError('TRACE_DAMAGED', {
    what,
    why: 'a binary trace is only believed where its checksums and counts agree',
    fix: 'restore the file from a copy, or import the trace again',
    at,
  });
