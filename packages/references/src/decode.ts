import type { AccessBatch } from '@tablewalk/contracts';
import { ENTRY_BYTES, ESCAPE, FORM, FORMS, HEAD_BYTES, KINDS, REFERENCES_PER_BLOCK_MAX } from './layout.ts';
import { SET, SET_BYTES, SETS } from './layout.ts';

/** Says what is wrong with a block, by throwing. */
export type Fail = (what: string) => never;

/** A block whose lengths agree with its bytes. What they say is found out by `decodeReferences`. */
export interface ReferenceBlock {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** What the 256 tokens stand for: form, kind and size, as `form << 24 | kind << 16 | size`; -1 nothing. */
  readonly meaning: Int32Array;
  /** How many members each set has (SET), and the first byte of each. */
  readonly members: Int32Array;
  readonly first: Int32Array;
}

/** Reads the head of a block. `bytes` is the whole block. */
export function openReferenceBlock(bytes: Uint8Array, fail: Fail): ReferenceBlock {
  if (bytes.length < HEAD_BYTES) fail(`a block of references has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = view.getUint32(SET.tokens * 4, true);
  if (count > REFERENCES_PER_BLOCK_MAX) fail(`a block of ${count} references`);
  const entries = bytes[HEAD_BYTES - 1] as number;
  const members = new Int32Array(SETS);
  const first = new Int32Array(SETS);
  let end = HEAD_BYTES + entries * ENTRY_BYTES;
  for (let set = 0; set < SETS && end <= bytes.length; set++) {
    members[set] = view.getUint32(set * 4, true);
    first[set] = end;
    end += view.getUint32(set * 4, true) * (SET_BYTES[set] as number);
  }
  if (end !== bytes.length) fail(`a block of ${count} references cannot have ${bytes.length} bytes`);
  const meaning = new Int32Array(ESCAPE + 1).fill(-1);
  for (let entry = 0; entry < entries; entry++) {
    const at = HEAD_BYTES + entry * ENTRY_BYTES;
    const form = bytes[at + 1] as number;
    if (form >= FORMS) fail(`no address has form ${form}`);
    meaning[entry] = (form << 24) | ((bytes[at] as number) << 16) | view.getUint16(at + 2, true);
  }
  return { count, bytes, meaning, members, first };
}

/** By kind: where its last reference ended, and the high half of its address. */
const predictedLo = new Int32Array(KINDS);
const highOf = new Int32Array(KINDS);

/**
 * Adds the references of a block to a batch, which must have room for them. Two thirds of all references are
 * instructions that follow one another (kind 0, form 0): they take the first lines of the loop, and what these need
 * stays in registers.
 */
export function decodeReferences(block: ReferenceBlock, batch: AccessBatch, fail: Fail): void {
  const { bytes, meaning, members, first } = block;
  const { kind: kinds, vaLo, vaHi, size: sizes } = batch;
  const shorts = members[FORM.short] as number;
  const words = members[FORM.word] as number;
  const absolutes = members[FORM.absolute] as number;
  const end = batch.count + block.count;
  kinds.fill(0, batch.count, end);
  vaHi.fill(0, batch.count, end);
  predictedLo.fill(0);
  highOf.fill(0);
  let fetchLo = 0;
  let fetchHi = 0;
  let tokenAt = first[SET.tokens] as number;
  let byteAt = first[FORM.byte] as number;
  let shortAt = first[FORM.short] as number;
  let wordAt = first[FORM.word] as number;
  let absoluteAt = first[FORM.absolute] as number;
  let escapeAt = first[SET.escapes] as number;
  for (let i = batch.count; i < end; i++) {
    let what = meaning[bytes[tokenAt++] as number] as number;
    if (what >>> 16 === 0) {
      vaLo[i] = fetchLo;
      if (fetchHi !== 0) vaHi[i] = fetchHi;
      sizes[i] = what;
      fetchLo = (fetchLo + what) | 0;
      continue;
    }
    if (what < 0) what = escaped(block, bytes[tokenAt - 1] as number, escapeAt++, fail);
    const kind = (what >>> 16) & 0xff;
    const form = what >>> 24;
    predictedLo[0] = fetchLo;
    let lo = predictedLo[kind] as number;
    if (form === FORM.byte) {
      lo = (lo + (((bytes[byteAt] as number) << 24) >> 24)) | 0;
      byteAt += 1;
    } else if (form === FORM.short) {
      const short = (bytes[shortAt] as number) | ((bytes[shortAt + shorts] as number) << 8);
      lo = (lo + ((short << 16) >> 16)) | 0;
      shortAt += 1;
    } else if (form === FORM.word) {
      lo = (lo + wordIn(bytes, wordAt, words)) | 0;
      wordAt += 1;
    } else if (form === FORM.absolute) {
      lo = wordIn(bytes, absoluteAt, absolutes);
      const hiAt = absoluteAt + 4 * absolutes;
      highOf[kind] = (bytes[hiAt] as number) | ((bytes[hiAt + absolutes] as number) << 8);
      absoluteAt += 1;
    }
    const size = what & 0xffff;
    kinds[i] = kind;
    vaLo[i] = lo;
    vaHi[i] = highOf[kind] as number;
    sizes[i] = size;
    predictedLo[kind] = (lo + size) | 0;
    fetchLo = predictedLo[0] as number;
    fetchHi = highOf[0] as number;
  }
  for (const [set, at] of [tokenAt, byteAt, shortAt, wordAt, absoluteAt, escapeAt].entries())
    if (at !== (first[set] as number) + (members[set] as number))
      fail('a block has other addresses than its tokens use');
  batch.count = end;
}

/** A number of four bytes whose planes are `apart` bytes apart. */
function wordIn(bytes: Uint8Array, at: number, apart: number): number {
  const low = (bytes[at] as number) | ((bytes[at + apart] as number) << 8);
  return low | ((bytes[at + 2 * apart] as number) << 16) | ((bytes[at + 3 * apart] as number) << 24);
}

/** What the escape stands for whose first byte is `at`. */
function escaped({ bytes, members, first }: ReferenceBlock, token: number, at: number, fail: Fail): number {
  const escapes = members[SET.escapes] as number;
  if (token !== ESCAPE || at - (first[SET.escapes] as number) >= escapes)
    fail(`token ${token} stands for nothing`);
  const [kind, form, low, high] = [0, 1, 2, 3].map((plane) => bytes[at + plane * escapes] as number);
  if ((form as number) >= FORMS) fail(`no address has form ${form}`);
  return ((form as number) << 24) | ((kind as number) << 16) | (low as number) | ((high as number) << 8);
}

/** What the references of a block have at most and at least, by its tables: `high` is of high halves, or'ed. */
export interface ReferenceBounds {
  readonly kindMax: number;
  readonly sizeMin: number;
  readonly high: number;
}

/** So that nobody has to look at each reference. An entry that no reference uses counts, too. */
export function boundsOf(block: ReferenceBlock): ReferenceBounds {
  const { bytes, meaning, members, first } = block;
  let [kindMax, sizeMin, high] = [0, 0xffff, 0];
  const count = (kind: number, size: number): void => {
    kindMax = Math.max(kindMax, kind);
    sizeMin = Math.min(sizeMin, size);
  };
  for (const what of meaning) if (what >= 0) count((what >>> 16) & 0xff, what & 0xffff);
  const [escapes, escapeFrom] = [members[SET.escapes] as number, first[SET.escapes] as number];
  for (let at = escapeFrom; at < escapeFrom + escapes; at++) {
    const size = (bytes[at + 2 * escapes] as number) | ((bytes[at + 3 * escapes] as number) << 8);
    count(bytes[at] as number, size);
  }
  const absolutes = members[FORM.absolute] as number;
  const highFrom = (first[FORM.absolute] as number) + 4 * absolutes;
  for (let at = highFrom; at < highFrom + absolutes; at++)
    high |= (bytes[at] as number) | ((bytes[at + absolutes] as number) << 8);
  return { kindMax, sizeMin, high };
}
