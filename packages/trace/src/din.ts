import { AccessKind } from '@tablewalk/contracts';
import { HEX_DIGIT, isBlank, LINE_BYTES_MAX, LineVerdict } from './text-line.ts';
import type { TextLine } from './text-line.ts';
import { TextReader } from './text-reader.ts';
import type { TraceReaderOptions } from './trace-reader.ts';

/** Traditional din text has no sizes; a reference is one word of 4 bytes, as Dinero IV takes it. */
export const DIN_BYTES = 4;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
/** A label, two spaces, 12 digits and 4 more of a size, LF: what `parseCommon` looks at. */
const COMMON_BYTES = 24;

/** What a first character stands for: a kind, with `EXTENDED` when a size follows; 0xff nothing. */
const EXTENDED = 0x10;
const NO_REFERENCE = 0xfe;
const LABEL = new Uint8Array(256).fill(0xff);
for (const [characters, label] of [
  ['0', AccessKind.load],
  ['1', AccessKind.store],
  ['2', AccessKind.fetch],
  ['rR', AccessKind.load | EXTENDED],
  ['wW', AccessKind.store | EXTENDED],
  ['iI', AccessKind.fetch | EXTENDED],
  ['34mcvMCV', NO_REFERENCE],
] as const)
  for (const character of characters) LABEL[character.charCodeAt(0)] = label;

/**
 * Text for Dinero (Hill and Edler, Dinero IV; cmdline options `-informat d` and `-informat D`), told
 * apart line by line: `label address`, where what follows on the line is a comment, and
 * `r|w|i address size`. Addresses and sizes are hexadecimal.
 */
export class DinReader extends TextReader {
  constructor(options: TraceReaderOptions = {}) {
    super(options, 'din');
  }

  protected parseLine(bytes: Uint8Array, start: number, end: number, line: TextLine): LineVerdict {
    return parseDinLine(bytes, start, end, line);
  }

  protected parseCommon(bytes: Uint8Array, start: number): number {
    const { filler } = this;
    if (filler.vaEnd < 2 ** 32 || this.options.rebase !== undefined) return start;
    const { batch, capacity, kindOf } = filler;
    const lastStart = bytes.length - COMMON_BYTES;
    let at = start;
    let count = batch.count;
    while (at <= lastStart && count < capacity) {
      const label = LABEL[bytes[at] as number] as number;
      if (label >= NO_REFERENCE || bytes[at + 1] !== SPACE) break;
      let next = at + 2;
      let lo = 0;
      let digit = HEX_DIGIT[bytes[next] as number] as number;
      const digitsEnd = next + 8;
      while (digit < 16 && next < digitsEnd) {
        lo = (lo << 4) | digit;
        digit = HEX_DIGIT[bytes[++next] as number] as number;
      }
      if (next === at + 2) break;
      let size = DIN_BYTES;
      if (label >= EXTENDED) {
        if (bytes[next] !== SPACE) break;
        size = HEX_DIGIT[bytes[next + 1] as number] as number;
        next += 2;
        const second = HEX_DIGIT[bytes[next] as number] as number;
        if (second < 16) {
          size = size * 16 + second;
          next += 1;
        }
        if (size === 0 || size > 0xff) break;
      }
      if (bytes[next] !== LF || lo >>> 0 > 0xffffff00) break;
      batch.kind[count] = kindOf[label & 3] as number;
      batch.vaLo[count] = lo;
      batch.vaHi[count] = 0;
      batch.size[count] = size;
      count += 1;
      at = next + 1;
    }
    this.lines += count - batch.count;
    filler.references += count - batch.count;
    batch.count = count;
    return at;
  }
}

export function parseDinLine(bytes: Uint8Array, start: number, lineEnd: number, line: TextLine): LineVerdict {
  const end = lineEnd > start && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
  if (lineEnd - start > LINE_BYTES_MAX) return LineVerdict.tooLong;
  if (isBlank(bytes, start, end)) return LineVerdict.blank;
  let at = pastBlanks(bytes, start, end);
  const label = LABEL[bytes[at] as number] as number;
  const afterLabel = pastBlanks(bytes, at + 1, end);
  if (label === 0xff || (afterLabel === at + 1 && afterLabel < end)) return LineVerdict.badLabel;
  if (label === NO_REFERENCE) return LineVerdict.noReference;
  const extended = label >= EXTENDED;
  line.kind = (label & 3) as AccessKind;

  at = pastPrefix(bytes, afterLabel, end);
  const firstDigit = at;
  let va = 0;
  for (; at < end && !isSpace(bytes[at]); at++) {
    const digit = HEX_DIGIT[bytes[at] as number] as number;
    if (digit > 15) return LineVerdict.badHex;
    va = va * 16 + digit;
    if (va >= 2 ** 48) return LineVerdict.addressTooLarge;
  }
  if (at === firstDigit) return LineVerdict.badHex;
  line.va = va;
  line.size = DIN_BYTES;
  if (extended) {
    const verdict = parseSize(bytes, pastPrefix(bytes, pastBlanks(bytes, at, end), end), end, line);
    if (verdict !== LineVerdict.reference) return verdict;
  }
  return va + line.size > 2 ** 48 ? LineVerdict.pastEnd : LineVerdict.reference;
}

function parseSize(bytes: Uint8Array, start: number, end: number, line: TextLine): LineVerdict {
  let at = start;
  let size = 0;
  for (; at < end && !isSpace(bytes[at]); at++) {
    const digit = HEX_DIGIT[bytes[at] as number] as number;
    if (digit > 15) return LineVerdict.badExtendedSize;
    size = size * 16 + digit;
    if (size > 65535) return LineVerdict.sizeTooLarge;
  }
  if (at === start) return LineVerdict.badExtendedSize;
  line.size = size;
  return size === 0 ? LineVerdict.sizeZero : LineVerdict.reference;
}

const isSpace = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;

function pastBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isSpace(bytes[at])) at += 1;
  return at;
}

/** Past a `0x`, if there is one. */
function pastPrefix(bytes: Uint8Array, at: number, end: number): number {
  return at + 1 < end && bytes[at] === 0x30 && ((bytes[at + 1] as number) | 0x20) === 0x78 ? at + 2 : at;
}
