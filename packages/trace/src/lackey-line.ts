import { AccessKind } from '@tablewalk/contracts';

/**
 * One line of valgrind lackey text (`--trace-mem=yes`; lackey/lk_main.c, trace_instr, trace_load,
 * trace_store, trace_modify): `I  %08lx,%lu`, ` L %08lx,%lu`, ` S ...`, ` M ...`. Parsed from bytes,
 * with no string made.
 */
export interface LackeyLine {
  kind: AccessKind;
  va: number;
  size: number;
}

/** What a line is. Below `reference`: nothing to count; above: why it is none. */
export const LineVerdict = {
  blank: 0,
  noise: 1,
  reference: 2,
  badKind: 3,
  badAddress: 4,
  addressTooLarge: 5,
  badSize: 6,
  sizeTooLarge: 7,
  sizeZero: 8,
  pastEnd: 9,
  tooLong: 10,
} as const;
export type LineVerdict = (typeof LineVerdict)[keyof typeof LineVerdict];

export const LINE_FAULTS: Readonly<Record<number, string>> = {
  [LineVerdict.badKind]: 'a line begins with "I  ", " L ", " S " or " M "',
  [LineVerdict.badAddress]: 'the address has at least 8 hexadecimal digits and ends at a comma',
  [LineVerdict.addressTooLarge]: 'the address needs more than 48 bits',
  [LineVerdict.badSize]: 'after the comma comes the size in bytes, in decimal, and then the line ends',
  [LineVerdict.sizeTooLarge]: 'the size is above 65535 bytes',
  [LineVerdict.sizeZero]: 'the size is 0 bytes',
  [LineVerdict.pastEnd]: 'the reference runs past 2^48',
  [LineVerdict.tooLong]: 'no reference needs so long a line',
};

/** Value of a hexadecimal digit by character code; 0x80 when it is none. */
export const HEX_DIGIT = new Uint8Array(256).fill(0x80);
for (let digit = 0; digit < 16; digit++) {
  HEX_DIGIT[digit.toString(16).charCodeAt(0)] = digit;
  HEX_DIGIT[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** A longer line is no reference; it is never kept whole. */
export const LINE_BYTES_MAX = 256;

const SPACE = 0x20;
const COMMA = 0x2c;
const CR = 0x0d;
const DIGITS_MIN = 8;

/** Parses bytes `[start, end)`, without the LF; a CR before it is allowed. */
export function parseLackeyLine(
  bytes: Uint8Array,
  start: number,
  lineEnd: number,
  line: LackeyLine,
): LineVerdict {
  const end = lineEnd > start && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
  if (isNoise(bytes, start, end)) return LineVerdict.noise;
  if (lineEnd - start > LINE_BYTES_MAX) return LineVerdict.tooLong;
  if (isBlank(bytes, start, end)) return LineVerdict.blank;
  const kind = kindAt(bytes, start, end);
  if (kind === undefined) return LineVerdict.badKind;
  line.kind = kind;

  let at = start + 3;
  let va = 0;
  for (; at < end && bytes[at] !== COMMA; at++) {
    const digit = HEX_DIGIT[bytes[at] as number] as number;
    if (digit > 15) return LineVerdict.badAddress;
    va = va * 16 + digit;
    if (va >= 2 ** 48) return LineVerdict.addressTooLarge;
  }
  if (at === end || at - start - 3 < DIGITS_MIN) return LineVerdict.badAddress;
  line.va = va;

  const firstDigit = at + 1;
  let size = 0;
  for (at = firstDigit; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return LineVerdict.badSize;
    size = size * 10 + digit;
    if (size > 65535) return LineVerdict.sizeTooLarge;
  }
  if (at === firstDigit) return LineVerdict.badSize;
  if (size === 0) return LineVerdict.sizeZero;
  line.size = size;
  return va + size > 2 ** 48 ? LineVerdict.pastEnd : LineVerdict.reference;
}

function kindAt(bytes: Uint8Array, start: number, end: number): AccessKind | undefined {
  if (end - start < 3 || bytes[start + 2] !== SPACE) return undefined;
  const first = bytes[start];
  const second = bytes[start + 1];
  if (first === 0x49) return second === SPACE ? AccessKind.fetch : undefined;
  if (first !== SPACE) return undefined;
  if (second === 0x4c) return AccessKind.load;
  if (second === 0x53) return AccessKind.store;
  return second === 0x4d ? AccessKind.modify : undefined;
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== SPACE && bytes[at] !== 0x09) return false;
  return true;
}

/** valgrind's own messages: `==1234== text`, and with -v `--1234-- text`. */
export function isNoise(bytes: Uint8Array, start: number, end: number): boolean {
  const mark = bytes[start];
  if ((mark !== 0x3d && mark !== 0x2d) || bytes[start + 1] !== mark || end - start < 5) return false;
  let at = start + 2;
  while (at < end && (bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x39) at += 1;
  return at > start + 2 && at + 1 < end && bytes[at] === mark && bytes[at + 1] === mark;
}

/** The line as a person can read it, at most `max` characters; what is not printable is escaped. */
export function readableLine(bytes: Uint8Array, start: number, end: number, max = 80): string {
  let text = '';
  for (let at = start; at < end && text.length < max; at++) {
    const code = bytes[at] as number;
    const printable = code >= 0x20 && code < 0x7f;
    text += printable ? String.fromCharCode(code) : `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return end - start > max ? `${text}...` : text;
}
