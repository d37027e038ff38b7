import { assert } from '@tablewalk/base';
import type { AccessBatch } from '@tablewalk/contracts';
import { commonForms, formOf } from './common-forms.ts';
import { blockBytesMax, ENTRY_BYTES, ESCAPE, FORM, FORMS, HEAD_BYTES } from './layout.ts';
import { REFERENCES_PER_BLOCK_MAX, SET, SET_BYTES } from './layout.ts';

/** Writes blocks (layout.ts). It keeps its buffers, and nothing of a batch. */
export class ReferenceEncoder {
  private tokens = new Uint8Array(0);
  /** Distances and low halves in the order of the references, by form; high halves of absolute addresses. */
  private values: Int32Array[] = [];
  private highs = new Uint16Array(0);
  private readonly used = new Int32Array(FORMS);
  private readonly escapes: number[] = [];
  private out = new Uint8Array(0);

  /** Tokens of entries that commonForms has no place for. */
  private readonly rare = new Map<number, number>();
  /** What each entry stands for: `(kind * FORMS + form) * 2^16 + size`. */
  private readonly entries: number[] = [];

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
    commonForms.begin();
    this.rare.clear();
    this.entries.length = 0;
    this.escapes.length = 0;
    this.used.fill(0);
  }

  private sortOut(batch: AccessBatch): void {
    for (let from = 0; from < batch.count;) {
      const count = commonForms.take(batch, from);
      for (let i = 0; i < count;) {
        i = commonForms.sort(i, count);
        if (i < count) this.sortAny(i++);
      }
      this.append(from, count);
      from += count;
    }
  }

  /** `commonForms.sort` for one reference of any form. */
  private sortAny(i: number): void {
    const { kinds, vaLo, vaHi, sizes, tokens, highs, used, values, predicted, highOf } = commonForms;
    const kind = kinds[i] as number;
    const lo = (vaLo[i] as number) | 0;
    const size = sizes[i] as number;
    const distance = (lo - (predicted[kind] as number)) | 0;
    const form = vaHi[i] === highOf[kind] ? formOf(distance) : FORM.absolute;
    const n = used[form] as number;
    if (form === FORM.absolute) highs[n] = highOf[kind] = vaHi[i] as number;
    if (form !== FORM.predicted) {
      (values[form] as Int32Array)[n] = form === FORM.absolute ? lo : distance;
      used[form] = n + 1;
    }
    predicted[kind] = (lo + size) | 0;
    const token = commonForms.tokenOf(kind, form, size);
    tokens[i] = token < 0 ? this.newToken(kind, form, size) : token;
  }

  /** Appends what was sorted of a stretch, the references from `from` on. */
  private append(from: number, count: number): void {
    const { tokens, highs, values, used } = commonForms;
    this.tokens.set(tokens.subarray(0, count), from);
    for (let form = 1; form < FORMS; form++) {
      const n = used[form] as number;
      const before = this.used[form] as number;
      (this.values[form] as Int32Array).set((values[form] as Int32Array).subarray(0, n), before);
      if (form === FORM.absolute) this.highs.set(highs.subarray(0, n), before);
      this.used[form] = before + n;
    }
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
    if (!commonForms.setToken(kind, form, size, token)) this.rare.set(entry, token);
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
