import { HistoryError } from '@tablewalk/base';

/** What the file says cannot be true. `at` is the byte offset in the file, or a place within a chunk. */
export function damaged(what: string, at: string): HistoryError {
  return new HistoryError('HISTORY_DAMAGED', {
    what,
    why: 'what a history holds is only believed where checksums and cross-checks agree',
    fix: 'restore the file from a copy; the same machine, seed and traces record the same facts again',
    at,
  });
}

/** Beyond these values the low seven bits no longer leave by integer operations. */
const INT_MAX = 0x7fffffff;

/** Bytes to be written, in a buffer that grows. */
export class ByteWriter {
  private buffer: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.buffer = new Uint8Array(capacity);
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }

  reset(): void {
    this.length = 0;
  }

  /** Room for `count` more bytes; afterwards `put` may be called that often. */
  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }

  u8(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  /** A natural number to 2^53 - 1, seven bits a byte, low bits first (LEB128). */
  natural(value: number): void {
    this.reserve(8);
    const { buffer } = this;
    let rest = value;
    for (; rest > INT_MAX; rest = Math.floor(rest / 128)) buffer[this.length++] = (rest % 128) | 0x80;
    for (; rest >= 0x80; rest >>>= 7) buffer[this.length++] = (rest & 0x7f) | 0x80;
    buffer[this.length++] = rest;
  }

  /**
   * An integer from -(2^53 - 1): the first byte has six bits of the magnitude and the sign (0x40),
   * the others seven. Zigzag would leave the range in which doubles are exact.
   */
  integer(value: number): void {
    const magnitude = value < 0 ? -value : value;
    const sign = value < 0 ? 0x40 : 0;
    if (magnitude < 64) {
      this.u8(sign | magnitude);
    } else {
      this.u8(0x80 | sign | (magnitude % 64));
      this.natural(Math.floor(magnitude / 64));
    }
  }

  /** A natural number below 256^width, low byte first. */
  fixed(value: number, width: number): void {
    this.reserve(width);
    let rest = value;
    for (let i = 0; i < width; i++) {
      this.buffer[this.length++] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }

  /** Bytes as they are; their reader must know how many. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Any string, by its UTF-16 code units: lone surrogates survive, ASCII takes a byte a character. */
  text(value: string): void {
    this.natural(value.length);
    for (let i = 0; i < value.length; i++) this.natural(value.charCodeAt(i));
  }
}

/** Bytes of an `integer`. */
export function integerBytes(value: number): number {
  const magnitude = value < 0 ? -value : value;
  if (magnitude < 0x40) return 1;
  if (magnitude < 0x2000) return 2;
  if (magnitude < 0x100000) return 3;
  if (magnitude < 0x8000000) return 4;
  let bytes = 5;
  for (let limit = 2 ** 34; magnitude >= limit; limit *= 128) bytes += 1;
  return bytes;
}

/** Reads what a ByteWriter wrote. It never reads beyond its bytes: every shortage is reported. */
export class ByteReader {
  pos = 0;

  /** `where` names the place in the file, for reports. */
  constructor(
    readonly bytes: Uint8Array,
    private readonly where: string,
  ) {}

  get remaining(): number {
    return this.bytes.length - this.pos;
  }

  fail(what: string): never {
    throw damaged(what, `${this.where}, byte ${this.pos} of ${this.bytes.length}`);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.remaining !== 0) this.fail(`${this.remaining} bytes follow where the block should end`);
  }

  u8(): number {
    if (this.pos >= this.bytes.length) this.fail('a block ends too early');
    return this.bytes[this.pos++] as number;
  }

  natural(): number {
    const first = this.u8();
    return first < 0x80 ? first : this.more(first & 0x7f, 0x80);
  }

  integer(): number {
    const first = this.u8();
    const low = first & 0x3f;
    const magnitude = first < 0x80 ? low : this.more(low, 0x40);
    return (first & 0x40) === 0 || magnitude === 0 ? magnitude : -magnitude;
  }

  /** The further bytes of a number whose value so far is `value` and whose next bit counts `unit`. */
  private more(value: number, unit: number): number {
    let sum = value;
    for (let weight = unit; ; weight *= 128) {
      const byte = this.u8();
      sum += (byte & 0x7f) * weight;
      if (sum > Number.MAX_SAFE_INTEGER) this.fail('a number is larger than 2^53 - 1');
      if (byte < 0x80) return sum;
      if (weight > 2 ** 53) this.fail('a number has too many bytes');
    }
  }

  /** The next `length` bytes, where they lie. */
  take(length: number): Uint8Array {
    if (length > this.remaining) this.fail(`${length} bytes cannot lie in ${this.remaining}`);
    this.pos += length;
    return this.bytes.subarray(this.pos - length, this.pos);
  }

  /** How many of something that takes at least `bytesEach` bytes apiece. */
  count(bytesEach: number, what: string): number {
    const count = this.natural();
    if (count * bytesEach > this.remaining)
      this.fail(`${count} ${what} cannot lie in ${this.remaining} bytes`);
    return count;
  }

  text(): string {
    const length = this.count(1, 'characters');
    const units: number[] = [];
    for (let i = 0; i < length; i++) {
      const unit = this.natural();
      if (unit > 0xffff) this.fail(`${unit} is no UTF-16 code unit`);
      units.push(unit);
    }
    let text = '';
    for (let i = 0; i < length; i += 4096) text += String.fromCharCode(...units.slice(i, i + 4096));
    return text;
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);
