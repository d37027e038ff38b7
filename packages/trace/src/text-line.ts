import type { AccessKind } from '@tablewalk/contracts';

/** What a line of a text trace says. */
export interface TextLine {
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
  badLabel: 11,
  noReference: 12,
  badHex: 13,
  badExtendedSize: 14,
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
  [LineVerdict.badLabel]: 'a line begins with a label: 0, 1 or 2, or r, w or i',
  [LineVerdict.noReference]: 'labels 3, 4, m, c and v stand for no reference of a program',
  [LineVerdict.badHex]: 'after the label and a space comes the address, in hexadecimal',
  [LineVerdict.badExtendedSize]: 'after r, w or i and the address comes the size in bytes, in hexadecimal',
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

export function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
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
