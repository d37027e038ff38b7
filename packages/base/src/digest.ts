/**
 * A 64-bit digest over words and strings: two 32-bit lanes of the MurmurHash3 mixing step with
 * different seeds. It tells two states apart; it is no defence against somebody who forges one.
 */
export class Digest {
  private a = 0x9747b28c | 0;
  private b = 0x85ebca6b | 0;
  private count = 0;

  word(value: number): this {
    this.a = mix(this.a, value | 0);
    this.b = mix(this.b, (value | 0) ^ 0x5bd1e995);
    this.count += 1;
    return this;
  }

  /** Any finite number, by its two halves; integers beyond 32 bits and fractions keep their value. */
  number(value: number): this {
    if ((value | 0) === value) return this.word(value);
    FLOAT[0] = value;
    return this.word(FLOAT_WORDS[0] as number)
      .word(FLOAT_WORDS[1] as number)
      .word(0x7ff);
  }

  text(value: string): this {
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
    return this.word(value.length | 0x10000000);
  }

  words(values: ArrayLike<number>): this {
    for (let i = 0; i < values.length; i++) this.word(values[i] as number);
    return this.word(values.length);
  }

  hex(): string {
    const a = finish(this.a ^ this.count);
    const b = finish(this.b ^ a);
    return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
  }
}

const FLOAT = new Float64Array(1);
const FLOAT_WORDS = new Uint32Array(FLOAT.buffer);

function mix(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  let h = hash ^ Math.imul(k, 0x1b873593);
  h = (h << 13) | (h >>> 19);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Digest of a JSON-able value; the order of an object's keys does not matter. */
export function digestOf(value: unknown): string {
  const digest = new Digest();
  digestInto(digest, value);
  return digest.hex();
}

function digestInto(digest: Digest, value: unknown): void {
  if (typeof value === 'number') digest.word(1).number(value);
  else if (typeof value === 'string') digest.word(2).text(value);
  else if (typeof value === 'boolean') digest.word(value ? 3 : 4);
  else if (value === undefined || value === null) digest.word(5);
  else if (Array.isArray(value)) {
    digest.word(6).word(value.length);
    for (const item of value) digestInto(digest, item);
  } else {
    const entries = value as Record<string, unknown>;
    // A property that is undefined is the same as one that is absent, as in JSON.
    const keys = Object.keys(entries)
      .filter((key) => entries[key] !== undefined)
      .sort();
    digest.word(7).word(keys.length);
    for (const key of keys) {
      digest.text(key);
      digestInto(digest, entries[key]);
    }
  }
}
