import { accessBatch, copyAccesses } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { FORM, FORMS, KINDS } from './layout.ts';

/** References that are looked at in one go. */
const STRETCH = 4096;
/** Entries of smaller kinds and sizes are found in a table. */
const TABLE_KINDS = 4;
const TABLE_SIZES = 128;

/**
 * The inner loop of the encoder, with what it works on. Its arrays are the same for every block, so that V8 compiles
 * their addresses into the loop, which takes a third off, copies included. A block is encoded in one go, so one set
 * serves all encoders; nothing in it outlives the block.
 */
export const commonForms = makeCommonForms();

function makeCommonForms() {
  const stretch = accessBatch(STRETCH);
  const { kind: kinds, vaLo, vaHi, size: sizes } = stretch;
  const tokens = new Uint8Array(STRETCH);
  /** Distances in the order of the references; halves of absolute addresses; how many, by form. */
  const bytes = new Int32Array(STRETCH);
  const shorts = new Int32Array(STRETCH);
  const words = new Int32Array(STRETCH);
  const lows = new Int32Array(STRETCH);
  const highs = new Uint16Array(STRETCH);
  const used = new Int32Array(FORMS);
  /** By kind: where the next reference is expected, and its high half. */
  const predicted = new Int32Array(KINDS);
  const highOf = new Int32Array(KINDS);
  /** The token of a kind, form and size; -1: none yet. */
  const table = new Int16Array(TABLE_KINDS * FORMS * TABLE_SIZES);

  return {
    ...{ kinds, vaLo, vaHi, sizes, tokens, highs, used, predicted, highOf },
    /** The predicted form has none: its place is never looked at. */
    values: [new Int32Array(0), bytes, shorts, words, lows] as const,

    /** Before a block. */
    begin(): void {
      predicted.fill(0);
      highOf.fill(0);
      table.fill(-1);
    },

    /** Takes references from `from` on, of one stretch; answers how many. */
    take(batch: AccessBatch, from: number): number {
      const end = Math.min(batch.count, from + STRETCH);
      copyAccesses(batch, from, end, stretch);
      used.fill(0);
      return end - from;
    },

    /** The token of an entry that has a place in the table, or -1. */
    tokenOf: (kind: number, form: number, size: number): number =>
      kind < TABLE_KINDS && size < TABLE_SIZES
        ? (table[(kind * FORMS + form) * TABLE_SIZES + size] as number)
        : -1,

    /** Whether such an entry has a place in the table; there its token is from now on. */
    setToken(kind: number, form: number, size: number, token: number): boolean {
      if (kind >= TABLE_KINDS || size >= TABLE_SIZES) return false;
      table[(kind * FORMS + form) * TABLE_SIZES + size] = token;
      return true;
    },

    /** Sorts references `[from, to)` to the first that the table does not know, or whose high half is new. */
    sort(from: number, to: number): number {
      let byteCount = used[FORM.byte] as number;
      let shortCount = used[FORM.short] as number;
      let wordCount = used[FORM.word] as number;
      let i = from;
      for (; i < to; i++) {
        const kind = kinds[i] as number;
        const lo = (vaLo[i] as number) | 0;
        const size = sizes[i] as number;
        if (kind >= TABLE_KINDS || size >= TABLE_SIZES || vaHi[i] !== highOf[kind]) break;
        const distance = (lo - (predicted[kind] as number)) | 0;
        const form = formOf(distance);
        const token = table[(kind * FORMS + form) * TABLE_SIZES + size] as number;
        if (token < 0) break;
        tokens[i] = token;
        predicted[kind] = (lo + size) | 0;
        if (form === FORM.byte) bytes[byteCount++] = distance;
        else if (form === FORM.short) shorts[shortCount++] = distance;
        else if (form === FORM.word) words[wordCount++] = distance;
      }
      used[FORM.byte] = byteCount;
      used[FORM.short] = shortCount;
      used[FORM.word] = wordCount;
      return i;
    },
  };
}

/** The shortest form of a distance. */
export function formOf(distance: number): number {
  if (distance === 0) return FORM.predicted;
  if ((distance << 24) >> 24 === distance) return FORM.byte;
  return (distance << 16) >> 16 === distance ? FORM.short : FORM.word;
}
