import type { AccessBatch } from '@tablewalk/contracts';
import { ENTRY_BYTES, ESCAPE, FORMS, HEAD_BYTES, KINDS, REFERENCES_PER_BLOCK_MAX } from './layout.ts';

/** Says what is wrong with a block, by throwing. */
export type Fail = (what: string) => never;

/** A block whose lengths agree with its bytes. What they say is found out by `decodeReferences`. */
export interface ReferenceBlock {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** What the 256 tokens stand for: form, kind and size, as `form << 24 | kind << 16 | size`; -1 nothing. */
  readonly meaning: Int32Array;
  /** First byte of the tokens. */
  readonly tokens: number;
  /** How many have each form, and first byte of each form's planes. */
  readonly used: readonly number[];
  readonly planes: readonly number[];
  readonly escapes: number;
  readonly escapePlanes: number;
}

/** Reads the head of a block. `bytes` is the whole block. */
export function openReferenceBlock(bytes: Uint8Array, fail: Fail): ReferenceBlock {
  if (bytes.length < HEAD_BYTES) fail(`a block of references has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = view.getUint32(0, true);
  if (count > REFERENCES_PER_BLOCK_MAX) fail(`a block of ${count} references`);
  const used = [0, 4, 8, 12, 16].map((at) => (at === 0 ? 0 : view.getUint32(at, true)));
  const escapes = view.getUint32(FORMS * 4, true);
  const entries = bytes[HEAD_BYTES - 1] as number;
  const tokens = HEAD_BYTES + entries * ENTRY_BYTES;
  const [, byteCount, shortCount, wordCount, absoluteCount] = used as [0, number, number, number, number];
  const bytePlane = tokens + count;
  const shortPlanes = bytePlane + byteCount;
  const wordPlanes = shortPlanes + shortCount * 2;
  const absolutePlanes = wordPlanes + wordCount * 4;
  const escapePlanes = absolutePlanes + absoluteCount * 6;
  if (entries > ESCAPE || escapePlanes + escapes * ENTRY_BYTES !== bytes.length)
    fail(`a block of ${count} references cannot have ${bytes.length} bytes`);
  const meaning = new Int32Array(ESCAPE + 1).fill(-1);
  for (let entry = 0; entry < entries; entry++) {
    const at = HEAD_BYTES + entry * ENTRY_BYTES;
    const form = bytes[at + 1] as number;
    if (form >= FORMS) fail(`no address has form ${form}`);
    meaning[entry] = (form << 24) | ((bytes[at] as number) << 16) | view.getUint16(at + 2, true);
  }
  const planes = [0, bytePlane, shortPlanes, wordPlanes, absolutePlanes];
  return { count, bytes, meaning, tokens, used, planes, escapes, escapePlanes };
}

const predictedLo = new Int32Array(KINDS);
const highOf = new Int32Array(KINDS);

/** Adds the references of a block to a batch, which must have room for them. */
export function decodeReferences(block: ReferenceBlock, batch: AccessBatch, fail: Fail): void {
  const { bytes, meaning, used, planes } = block;
  const { kind: kinds, vaLo, vaHi, size: sizes } = batch;
  const [, byteCount, shortCount, wordCount, absoluteCount] = used as [0, number, number, number, number];
  const [, byteFrom, shortFrom, wordFrom, absoluteFrom] = planes as [0, number, number, number, number];
  let [byteAt, shortAt, wordAt, absoluteAt, escapeAt] = [byteFrom, shortFrom, wordFrom, absoluteFrom, 0];
  predictedLo.fill(0);
  highOf.fill(0);
  const end = block.tokens + block.count;
  let i = batch.count;
  for (let at = block.tokens; at < end; at++, i++) {
    const token = bytes[at] as number;
    let what = meaning[token] as number;
    if (what < 0) {
      if (token !== ESCAPE || escapeAt === block.escapes) fail(`token ${token} stands for nothing`);
      what = escaped(block, escapeAt++, fail);
    }
    const kind = (what >>> 16) & 0xff;
    const form = what >>> 24;
    let lo = predictedLo[kind] as number;
    if (form !== 0) {
      if (form === 1) lo = (lo + (((bytes[byteAt++] as number) << 24) >> 24)) | 0;
      else if (form === 2) {
        const short = (bytes[shortAt] as number) | ((bytes[shortAt + shortCount] as number) << 8);
        lo = (lo + ((short << 16) >> 16)) | 0;
        shortAt += 1;
      } else if (form === 3) lo = (lo + wordIn(bytes, wordAt++, wordCount)) | 0;
      else {
        lo = wordIn(bytes, absoluteAt, absoluteCount);
        const hiAt = absoluteAt + 4 * absoluteCount;
        highOf[kind] = (bytes[hiAt] as number) | ((bytes[hiAt + absoluteCount] as number) << 8);
        absoluteAt += 1;
      }
    }
    const size = what & 0xffff;
    kinds[i] = kind;
    vaLo[i] = lo;
    vaHi[i] = highOf[kind] as number;
    sizes[i] = size;
    predictedLo[kind] = (lo + size) | 0;
  }
  if (
    byteAt - byteFrom !== byteCount ||
    shortAt - shortFrom !== shortCount ||
    wordAt - wordFrom !== wordCount ||
    absoluteAt - absoluteFrom !== absoluteCount ||
    escapeAt !== block.escapes
  )
    fail('a block has other addresses than its tokens use');
  batch.count = i;
}

/** A number of four bytes whose planes are `apart` bytes apart. */
function wordIn(bytes: Uint8Array, at: number, apart: number): number {
  const low = (bytes[at] as number) | ((bytes[at + apart] as number) << 8);
  return low | ((bytes[at + 2 * apart] as number) << 16) | ((bytes[at + 3 * apart] as number) << 24);
}

function escaped({ bytes, escapes, escapePlanes: at }: ReferenceBlock, i: number, fail: Fail): number {
  const [kind, form, low, high] = [0, 1, 2, 3].map((plane) => bytes[at + plane * escapes + i] as number);
  if ((form as number) >= FORMS) fail(`no address has form ${form}`);
  return ((form as number) << 24) | ((kind as number) << 16) | (low as number) | ((high as number) << 8);
}
