import { assert } from '@tablewalk/base';
import type { AccessBatch } from '@tablewalk/contracts';
import { blockBytesMax, ENTRY_BYTES, ESCAPE, FORM, FORMS, HEAD_BYTES, KINDS } from './layout.ts';
import { REFERENCES_PER_BLOCK_MAX, SET, SET_BYTES } from './layout.ts';

/** Sizes below this find their entry in a table; others in a map. */
const COMMON_SIZES = 128;
const COMMON_KINDS = 4;

/** Writes blocks (layout.ts). It keeps its buffers, and nothing of a batch. */
export class ReferenceEncoder {
  private tokens = new Uint8Array(0);
  /** Distances and low halves in the order of the references, by form; high halves of absolute addresses. */
  private values: Int32Array[] = [];
  private highs = new Uint16Array(0);
  private readonly used = new Int32Array(FORMS);
  private readonly escapes: number[] = [];
  private out = new Uint8Array(0);

  /** The entry of a common form by `(kind * FORMS + form) * COMMON_SIZES + size`; -1 none yet. */
  private readonly common = new Int16Array(COMMON_KINDS * FORMS * COMMON_SIZES).fill(-1);
  private readonly rare = new Map<number, number>();
  /** What each entry stands for: `(kind * FORMS + form) * 2^16 + size`. */
  private readonly entries: number[] = [];
  private readonly predictedLo = new Int32Array(KINDS);
  private readonly hi = new Int32Array(KINDS);

  /** The block of a batch. The bytes are good until the next call. */
  encode(batch: AccessBatch): Uint8Array {
    const { count } = batch;
    assert(count <= REFERENCES_PER_BLOCK_MAX, `a batch of ${count} references`);
    this.begin(count);
    this.sortOut(batch);
    return this.layOut(count);
  }

  private begin(count: number): void {
    if (this.tokens.length < count) {
      this.tokens = new Uint8Array(count);
      this.values = Array.from({ length: FORMS }, () => new Int32Array(count));
      this.highs = new Uint16Array(count);
      this.out = new Uint8Array(blockBytesMax(count));
    }
    if (this.out.length === 0) this.out = new Uint8Array(blockBytesMax(0));
    for (const entry of this.entries) {
      const form = Math.floor(entry / 2 ** 16);
      const size = entry % 2 ** 16;
      if (form < COMMON_KINDS * FORMS && size < COMMON_SIZES) this.common[form * COMMON_SIZES + size] = -1;
    }
    this.rare.clear();
    this.entries.length = 0;
    this.escapes.length = 0;
    this.used.fill(0);
    this.predictedLo.fill(0);
    this.hi.fill(0);
  }

  private sortOut({ count, kind: kinds, vaLo, vaHi, size: sizes }: AccessBatch): void {
    const { tokens, highs, predictedLo, hi: highOf, common } = this;
    const [, bytes, shorts, words, lows] = this.values as [
      unknown,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    let [byteCount, shortCount, wordCount, absoluteCount] = [0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const kind = kinds[i] as number;
      const lo = (vaLo[i] as number) | 0;
      const hi = vaHi[i] as number;
      const size = sizes[i] as number;
      const distance = (lo - (predictedLo[kind] as number)) | 0;
      let form: number;
      if (hi !== highOf[kind]) {
        form = FORM.absolute;
        lows[absoluteCount] = lo;
        highs[absoluteCount++] = hi;
        highOf[kind] = hi;
      } else if (distance === 0) form = FORM.predicted;
      else if ((distance << 24) >> 24 === distance) {
        form = FORM.byte;
        bytes[byteCount++] = distance;
      } else if ((distance << 16) >> 16 === distance) {
        form = FORM.short;
        shorts[shortCount++] = distance;
      } else {
        form = FORM.word;
        words[wordCount++] = distance;
      }
      predictedLo[kind] = (lo + size) | 0;
      const at = (kind * FORMS + form) * COMMON_SIZES + size;
      let token = kind < COMMON_KINDS && size < COMMON_SIZES ? (common[at] as number) : -1;
      if (token < 0) token = this.newToken(kind, form, size);
      tokens[i] = token;
    }
    this.used[FORM.byte] = byteCount;
    this.used[FORM.short] = shortCount;
    this.used[FORM.word] = wordCount;
    this.used[FORM.absolute] = absoluteCount;
  }

  /** The token of what the table does not know: a new entry, a rare one, or an escape. */
  private newToken(kind: number, form: number, size: number): number {
    const entry = (kind * FORMS + form) * 2 ** 16 + size;
    const known = this.rare.get(entry);
    if (known !== undefined) return known;
    if (this.entries.length === ESCAPE) {
      this.escapes.push(kind, form, size & 0xff, size >>> 8);
      return ESCAPE;
    }
    const token = this.entries.push(entry) - 1;
    if (kind < COMMON_KINDS && size < COMMON_SIZES)
      this.common[(kind * FORMS + form) * COMMON_SIZES + size] = token;
    else this.rare.set(entry, token);
    return token;
  }

  private layOut(count: number): Uint8Array {
    const { out, entries, escapes, used } = this;
    const head = new DataView(out.buffer);
    head.setUint32(SET.tokens * 4, count, true);
    for (let form = 1; form < FORMS; form++) head.setUint32(form * 4, used[form] as number, true);
    head.setUint32(SET.escapes * 4, escapes.length / ENTRY_BYTES, true);
    out[HEAD_BYTES - 1] = entries.length;
    let at = HEAD_BYTES;
    for (const entry of entries) {
      const kindAndForm = Math.floor(entry / 2 ** 16);
      out[at] = Math.floor(kindAndForm / FORMS);
      out[at + 1] = kindAndForm % FORMS;
      head.setUint16(at + 2, entry % 2 ** 16, true);
      at += ENTRY_BYTES;
    }
    out.set(this.tokens.subarray(0, count), at);
    at += count;
    for (let form = 1; form < FORMS; form++) {
      const values = this.values[form] as Int32Array;
      const n = used[form] as number;
      for (let plane = 0; plane < Math.min(SET_BYTES[form] as number, 4); plane++, at += n)
        for (let i = 0; i < n; i++) out[at + i] = (values[i] as number) >> (plane * 8);
    }
    const n = used[FORM.absolute] as number;
    for (let plane = 0; plane < 2; plane++, at += n)
      for (let i = 0; i < n; i++) out[at + i] = (this.highs[i] as number) >> (plane * 8);
    for (let plane = 0; plane < ENTRY_BYTES; plane++)
      for (let i = plane; i < escapes.length; i += ENTRY_BYTES) out[at++] = escapes[i] as number;
    return out.subarray(0, at);
  }
}
