import { accessBatch } from '@tablewalk/contracts';
import { parseLackeyLine } from './lackey-line.ts';
import { HEX_PAIR } from './hex-pairs.ts';
import type { LineVerdict, TextLine } from './text-line.ts';
import { TextReader } from './text-reader.ts';
import type { TraceReaderOptions } from './trace-reader.ts';

/** The fast path may look this far: 3 + 10 digits + comma + 2 digits + LF. */
const COMMON_BYTES = 17;
const LF = 0x0a;
const COMMA = 0x2c;
const ZERO = 0x30;
const OFFSET_MASK = 2 ** 20 - 1;

/**
 * The head of a line, `I  `, ` L `, ` S ` or ` M `, as a number of 24 bits below its kind, by the
 * exclusive or of its first two bytes, which is another for each.
 */
const HEADS = new Int32Array(256).fill(-1);
['I  ', ' L ', ' S ', ' M '].forEach((head, kind) => {
  const [first, second, third] = [0, 1, 2].map((i) => head.charCodeAt(i)) as [number, number, number];
  HEADS[first ^ second] = first | (second << 8) | (third << 16) | (kind << 24);
});

/**
 * Where common lines go before they go into a batch. Of arrays that are never others, V8 writes the addresses and
 * lengths into the loop's code: with the copy that follows, a line takes three quarters of the time.
 */
const STAGED = accessBatch(4096);
const { kind: KINDS, vaLo: LOW, vaHi: HIGH, size: SIZES } = STAGED;

/**
 * valgrind lackey text. Common lines (8- or 10-digit address, size of one or two digits, LF) take a
 * path that makes no string and calls nothing; all others are parsed by `parseLackeyLine`.
 */
export class LackeyReader extends TextReader {
  private readonly hiMax: number;

  constructor(options: TraceReaderOptions = {}) {
    super(options, 'lackey');
    // On the fast path only the high half is compared, so narrow machines take the other path.
    const { vaEnd } = this.filler;
    // V8 keeps the result of `| 0` as an integer.
    this.hiMax = vaEnd >= 2 ** 32 ? (vaEnd / 2 ** 32 - 1) | 0 : -1;
  }

  protected parseLine(bytes: Uint8Array, start: number, end: number, line: TextLine): LineVerdict {
    return parseLackeyLine(bytes, start, end, line);
  }

  protected parseCommon(bytes: Uint8Array, start: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const { filler, hiMax } = this;
    const { rebase } = this.options;
    const pair = HEX_PAIR;
    const room = Math.min(STAGED.capacity, filler.capacity - filler.batch.count);
    const lastStart = bytes.length - COMMON_BYTES;
    let at = start;
    let moved = 0;
    let count = 0;
    while (at <= lastStart && count < room) {
      const head = view.getInt32(at, true);
      const key = (head ^ (head >>> 8)) & 0xff;
      const expected = HEADS[key] as number;
      if (((head ^ expected) & 0xffffff) !== 0) break;
      const upper = view.getInt32(at + 3, true);
      const lower = view.getInt32(at + 7, true);
      const p0 = pair[upper & 0xffff] as number;
      const p1 = pair[upper >>> 16] as number;
      const p2 = pair[lower & 0xffff] as number;
      const p3 = pair[lower >>> 16] as number;
      if ((p0 | p1 | p2 | p3) < 0) break;
      let lo = (p0 << 24) | (p1 << 16) | (p2 << 8) | p3;
      let hi = 0;
      let next = at + 11;
      let tail = view.getInt32(next, true);
      if ((tail & 0xff) !== COMMA) {
        const p4 = pair[tail & 0xffff] as number;
        next += 2;
        tail = view.getInt32(next, true);
        if (p4 < 0 || (tail & 0xff) !== COMMA) break;
        hi = lo >>> 24;
        lo = (lo << 8) | p4;
      }
      let size = ((tail >>> 8) & 0xff) - ZERO;
      if (size < 1 || size > 9) break;
      const after = (tail >>> 16) & 0xff;
      next += 3;
      if (after !== LF) {
        const digit = after - ZERO;
        if (digit < 0 || digit > 9 || tail >>> 24 !== LF) break;
        size = size * 10 + digit;
        next += 1;
      }
      // Near 2^32 a reference may leave the space that `hi` lies in: the slow path looks at its end.
      if (lo >>> 0 > 0xffffff00) break;
      if (rebase !== undefined) {
        const place = rebase.knownPlace(hi, lo, size);
        if (place < 0) break;
        if (hi !== 0) {
          lo = (place << 20) | (lo & OFFSET_MASK);
          hi = 0;
          moved += 1;
        }
      }
      if (hi > hiMax) break;
      KINDS[count] = expected >>> 24;
      LOW[count] = lo;
      HIGH[count] = hi;
      SIZES[count] = size;
      count += 1;
      at = next;
    }
    STAGED.count = count;
    filler.appendAll(STAGED);
    this.lines += count;
    rebase?.count(moved);
    return at;
  }
}
