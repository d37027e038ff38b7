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
function headsOf(kindOf: Uint8Array): Int32Array {
  const heads = new Int32Array(256).fill(-1);
  ['I  ', ' L ', ' S ', ' M '].forEach((head, kind) => {
    const [first, second, third] = [0, 1, 2].map((i) => head.charCodeAt(i)) as [number, number, number];
    heads[first ^ second] = first | (second << 8) | (third << 16) | ((kindOf[kind] as number) << 24);
  });
  return heads;
}

/**
 * valgrind lackey text. Common lines (8- or 10-digit address, size of one or two digits, LF) take a
 * path that makes no string and calls nothing; all others are parsed by `parseLackeyLine`.
 */
export class LackeyReader extends TextReader {
  private readonly hiMax: number;
  private readonly heads: Int32Array;

  constructor(options: TraceReaderOptions = {}) {
    super(options, 'lackey');
    // On the fast path only the high half is compared, so narrow machines take the other path.
    const { vaEnd, kindOf } = this.filler;
    this.heads = headsOf(kindOf);
    this.hiMax = vaEnd >= 2 ** 32 ? vaEnd / 2 ** 32 - 1 : -1;
  }

  protected parseLine(bytes: Uint8Array, start: number, end: number, line: TextLine): LineVerdict {
    return parseLackeyLine(bytes, start, end, line);
  }

  protected parseCommon(bytes: Uint8Array, start: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const { filler, heads } = this;
    // Here and below: `| 0` says to V8 that a number is an integer, and that a sum stays one.
    const hiMax = this.hiMax | 0;
    const { batch, capacity } = filler;
    const { rebase } = this.options;
    const { kind: kinds, vaLo, vaHi, size: sizes } = batch;
    const pair = HEX_PAIR;
    const lastStart = bytes.length - COMMON_BYTES;
    let at = start;
    let moved = 0;
    let count = batch.count;
    while (at <= lastStart && count < capacity) {
      const head = view.getInt32(at, true);
      const key = (head ^ (head >>> 8)) & 0xff;
      const expected = heads[key] as number;
      if (((head ^ expected) & 0xffffff) !== 0) break;
      const upper = view.getInt32((at + 3) | 0, true);
      const lower = view.getInt32((at + 7) | 0, true);
      const p0 = pair[upper & 0xffff] as number;
      const p1 = pair[upper >>> 16] as number;
      const p2 = pair[lower & 0xffff] as number;
      const p3 = pair[lower >>> 16] as number;
      if ((p0 | p1 | p2 | p3) < 0) break;
      let lo = (p0 << 24) | (p1 << 16) | (p2 << 8) | p3;
      let hi = 0;
      let next = (at + 11) | 0;
      let tail = view.getInt32(next, true);
      if ((tail & 0xff) !== COMMA) {
        const p4 = pair[tail & 0xffff] as number;
        next = (next + 2) | 0;
        tail = view.getInt32(next, true);
        if (p4 < 0 || (tail & 0xff) !== COMMA) break;
        hi = lo >>> 24;
        lo = (lo << 8) | p4;
      }
      let size = ((tail >>> 8) & 0xff) - ZERO;
      if (size < 1 || size > 9) break;
      const after = (tail >>> 16) & 0xff;
      next = (next + 3) | 0;
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
      kinds[count] = expected >>> 24;
      vaLo[count] = lo;
      vaHi[count] = hi;
      sizes[count] = size;
      count = (count + 1) | 0;
      at = next;
    }
    const parsed = count - batch.count;
    batch.count = count;
    this.lines += parsed;
    filler.references += parsed;
    rebase?.count(moved);
    return at;
  }
}
