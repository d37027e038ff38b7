import { crc32Final, crc32Init, crc32Update } from '@foxglove/crc';
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
 * A frame is u8 its type, u32 n, u32 bytes before compression (as given, where nothing is compressed), u32
 * how many references, u32 CRC-32 of all of the frame but these four bytes; then n bytes. In each frame after
 * the head these begin with a link: u32 the number of the frame (the head is 0, the first block 1), u32 the
 * CRC-32 of the frame before. So frames are believed in their order only; the references of a block stand alone.
 * A file without its close was cut.
 *
 * Format 1 has no links; it is read, and not written any more.
 */
export const MAGIC = Uint8Array.of(0x89, 0x54, 0x57, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
export const BINARY_TRACE_FORMAT = 2;
/** The first format whose frames have links. */
export const LINKED_FORMAT = 2;
export const FRAME = { head: 1, block: 2, close: 3 } as const;
export const FRAME_BYTES = 17;
export const CRC_AT = 13;
export const LINK_BYTES = 8;

/** No block has more references, and no JSON more bytes. */
export const BLOCK_REFERENCES_MAX = 2 ** 16;
export const JSON_BYTES_MAX = 2 ** 16;
/** What a compressor may add to bytes that it cannot compress. */
const COMPRESSION_SLACK = 2 ** 12;
export const payloadBytesMax = (type: number): number =>
  type === FRAME.block
    ? LINK_BYTES + blockBytesMax(BLOCK_REFERENCES_MAX) + COMPRESSION_SLACK
    : JSON_BYTES_MAX;

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

/** CRC-32 of a frame, less the four bytes that it is kept in. */
export const frameCrc = (frame: Uint8Array): number =>
  crc32Final(crc32Update(crc32Update(crc32Init(), frame.subarray(0, CRC_AT)), frame.subarray(FRAME_BYTES)));

/** The file says what cannot be true. `at` names the file and the byte. */
export const damagedTrace = (what: string, at: string): TraceError =>
  new TraceError('TRACE_DAMAGED', {
    what,
    why: 'a binary trace is only believed where its checksums and counts agree',
    fix: 'restore the file from a copy, or import the trace again',
    at,
  });
