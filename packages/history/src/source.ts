import { damaged } from './bytes.ts';
import { FOOTER_BYTES, FRAME_BYTES, MAGIC } from './format.ts';

/** Where the bytes of a history come from: a file, or memory. `read` answers exactly `length` bytes. */
export interface HistorySource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

export const bytesSource = (bytes: Uint8Array): HistorySource => ({
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
});

/** Reads what lies within the source; what does not is damage, and is not asked for. */
export function readExactly(source: HistorySource, offset: number, length: number): Uint8Array {
  if (offset < 0 || length < 0 || offset + length > source.size)
    throw damaged(`${length} bytes are wanted from a file of ${source.size}`, `byte ${offset}`);
  const bytes = source.read(offset, length);
  if (bytes.length !== length)
    throw damaged(`only ${bytes.length} of ${length} bytes could be read`, `byte ${offset}`);
  return bytes;
}

export interface Frame {
  readonly opcode: number;
  readonly offset: number;
  /** With opcode and length field; it may lead beyond the end of the file. */
  readonly length: number;
}

/** Opcode and length of the record at `offset`, or undefined when the file ends within them. */
export function frameAt(source: HistorySource, offset: number): Frame | undefined {
  if (offset + FRAME_BYTES > source.size) return undefined;
  const bytes = readExactly(source, offset, FRAME_BYTES);
  const view = viewOf(bytes);
  const length = view.getUint32(1, true) + view.getUint32(5, true) * 2 ** 32;
  return { opcode: view.getUint8(0), offset, length: FRAME_BYTES + length };
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Is the record whole? */
export const isWhole = (source: HistorySource, frame: Frame): boolean =>
  frame.offset + frame.length <= source.size;

/** Does the file have its last record? If not, it was cut short, and only a scan can tell its parts. */
export function hasFooter(source: HistorySource): boolean {
  if (source.size < FOOTER_BYTES + 2 * MAGIC.length) return false;
  const last = readExactly(source, source.size - MAGIC.length, MAGIC.length);
  return last.every((byte, i) => byte === MAGIC[i]);
}
