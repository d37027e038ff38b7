/**
 * A batch of memory references of one process, as columns. This is the form in which traces enter a
 * machine and in which they are stored in a history.
 *
 * Shapes: every column has `capacity` elements, of which the first `count` are in use. A virtual
 * address is `vaHi * 2^32 + vaLo`. `size` is in bytes, 1 or more.
 */
export interface AccessBatch {
  count: number;
  readonly capacity: number;
  readonly kind: Uint8Array;
  readonly vaLo: Uint32Array;
  readonly vaHi: Uint16Array;
  readonly size: Uint16Array;
}

/** Kinds of access: the four of a lackey trace, and the descriptor reads of the table walker. */
export const AccessKind = { fetch: 0, load: 1, store: 2, modify: 3, walk: 4 } as const;
export type AccessKind = (typeof AccessKind)[keyof typeof AccessKind];
export const ACCESS_LETTERS = 'ILSMW';

export function accessBatch(capacity: number): AccessBatch {
  return {
    count: 0,
    capacity,
    kind: new Uint8Array(capacity),
    vaLo: new Uint32Array(capacity),
    vaHi: new Uint16Array(capacity),
    size: new Uint16Array(capacity),
  };
}

export function pushAccess(batch: AccessBatch, kind: AccessKind, va: number, size: number): void {
  const i = batch.count++;
  batch.kind[i] = kind;
  batch.vaLo[i] = va >>> 0;
  batch.vaHi[i] = Math.floor(va / 2 ** 32);
  batch.size[i] = size;
}

/** Copies accesses `[from, to)` of a batch into another, from `at` on, over what is there. Leaves its count. */
export function copyAccesses(batch: AccessBatch, from: number, to: number, into: AccessBatch, at = 0): void {
  into.kind.set(batch.kind.subarray(from, to), at);
  into.vaLo.set(batch.vaLo.subarray(from, to), at);
  into.vaHi.set(batch.vaHi.subarray(from, to), at);
  into.size.set(batch.size.subarray(from, to), at);
}

export const vaOfAccess = (batch: AccessBatch, i: number): number =>
  (batch.vaHi[i] as number) * 2 ** 32 + (batch.vaLo[i] as number);

/**
 * What leaves the TLB stage and enters the cache stage: pieces that lie within one page each, in
 * the order in which the memory system sees them, the walker's descriptor reads (kind `walk`, with
 * va = pa) among them.
 */
export interface TranslatedBatch {
  count: number;
  readonly capacity: number;
  readonly kind: Uint8Array;
  readonly vaLo: Uint32Array;
  readonly vaHi: Uint16Array;
  readonly paLo: Uint32Array;
  readonly paHi: Uint16Array;
  readonly size: Uint16Array;
}

/**
 * Bits beside the kind in `TranslatedBatch.kind`, for accountings that count references, not pieces.
 * `continues`: the piece goes on where the piece just before it stopped, at a page boundary.
 * `modified`: a store that is the second half of a modify whose load came before.
 */
export const PieceFlag = { continues: 8, modified: 16 } as const;
export const PIECE_KIND_MASK = 7;

/** A reference yields at most this many pieces: four (a modify across two pages) and two walks of four reads. */
export const PIECES_PER_ACCESS_MAX = 12;

export function translatedBatch(capacity: number): TranslatedBatch {
  return {
    count: 0,
    capacity,
    kind: new Uint8Array(capacity),
    vaLo: new Uint32Array(capacity),
    vaHi: new Uint16Array(capacity),
    paLo: new Uint32Array(capacity),
    paHi: new Uint16Array(capacity),
    size: new Uint16Array(capacity),
  };
}
