import { assert } from '@tablewalk/base';
import type { ArenaColumn, ArenaImage } from '@tablewalk/contracts';
import { ByteReader, ByteWriter, concat } from './bytes.ts';

/**
 * What a machine is between two steps beside its world, so that it can go on from there. Layout of a record:
 *
 *     natural             stimuli taken
 *     natural             batches retired: BatchRetired facts that retired a reference
 *     natural, pairs      for each process with a batch: natural mm, natural number of that batch's stimulus
 *     natural             columns, then for each a byte (0 Int32Array, 1 Uint8Array, 2 Float64Array) and
 *     natural, bytes      its elements, as they lie in memory, little-endian
 */
export interface ArenaCheckpoint {
  /** How many facts are folded into it: the next one has this seq. */
  readonly seq: number;
  readonly stimuli: number;
  readonly retired: number;
  readonly batches: ReadonlyMap<number, number>;
  readonly image: ArenaImage;
}

const COLUMNS = [Int32Array, Uint8Array, Float64Array] as const;
const COLUMNS_MAX = 2 ** 16;

export function encodeArenas({ stimuli, retired, batches, image }: Omit<ArenaCheckpoint, 'seq'>): Uint8Array {
  assert(image.length <= COLUMNS_MAX, `an image of ${image.length} columns`);
  const parts: Uint8Array[] = [];
  const out = new ByteWriter();
  out.natural(stimuli);
  out.natural(retired);
  out.natural(batches.size);
  for (const [mm, stimulus] of batches) {
    out.natural(mm);
    out.natural(stimulus);
  }
  out.natural(image.length);
  for (const column of image) {
    out.u8(COLUMNS.findIndex((kind) => column instanceof kind));
    out.natural(column.length);
    parts.push(out.bytes().slice(), littleEndian(column));
    out.reset();
  }
  return concat([...parts, out.bytes()]);
}

/** `where` names the record, for reports. */
export function decodeArenas(bytes: Uint8Array, seq: number, where: string): ArenaCheckpoint {
  const from = new ByteReader(bytes, where);
  const stimuli = from.natural();
  const retired = from.natural();
  const batches = new Map<number, number>();
  for (let left = from.count(2, 'batches'); left > 0; left--) batches.set(from.natural(), from.natural());
  const image: ArenaColumn[] = [];
  for (let left = from.count(2, 'columns'); left > 0; left--) image.push(readColumn(from));
  from.end();
  return { seq, stimuli, retired, batches, image };
}

function readColumn(from: ByteReader): ArenaColumn {
  const id = from.u8();
  const Column = COLUMNS[id] ?? from.fail(`no column is of kind ${id}`);
  const count = from.count(Column.BYTES_PER_ELEMENT, 'elements');
  // A copy: what lies in the file may begin anywhere, and a typed array may not.
  const bytes = from.take(count * Column.BYTES_PER_ELEMENT).slice();
  return new Column(swapped(bytes, Column.BYTES_PER_ELEMENT).buffer as ArrayBuffer);
}

const littleEndian = (column: ArenaColumn): Uint8Array =>
  swapped(
    new Uint8Array(column.buffer, column.byteOffset, column.byteLength).slice(),
    column.BYTES_PER_ELEMENT,
  );

const HOST_IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Between the host's order of bytes and that of the file, in place. */
function swapped(bytes: Uint8Array, width: number): Uint8Array {
  if (!HOST_IS_LITTLE) for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
  return bytes;
}
