import { AccessKind } from '@tablewalk/contracts';
import { HEX_DIGIT, isBlank, isNoise, LINE_BYTES_MAX, LineVerdict } from './text-line.ts';
import type { TextLine } from './text-line.ts';

const SPACE = 0x20;
const COMMA = 0x2c;
const CR = 0x0d;
const DIGITS_MIN = 8;

/**
 * One line of valgrind lackey text (`--trace-mem=yes`; lackey/lk_main.c, trace_instr, trace_load,
 * trace_store, trace_modify): `I  %08lx,%lu`, ` L %08lx,%lu`, ` S ...`, ` M ...`. Parsed from bytes
 * `[start, end)`, without the LF and with no string made; a CR before the LF is allowed.
 */
export function parseLackeyLine(
  bytes: Uint8Array,
  start: number,
  lineEnd: number,
  line: TextLine,
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
