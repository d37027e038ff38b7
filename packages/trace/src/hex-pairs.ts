/**
 * The value of two hexadecimal digits, by their two characters as one number of 16 bits, the first in the
 * low byte, as a DataView reads them; -1 when one is no digit. Several values joined by `|` are negative
 * when one of them is, so eight digits need one test. What text uses of the table is 3 KiB.
 */
export const HEX_PAIR = new Int16Array(2 ** 16).fill(-1);

const DIGITS = [...'0123456789abcdef', ...'ABCDEF'];
const value = (digit: string): number => parseInt(digit, 16);
for (const first of DIGITS)
  for (const second of DIGITS)
    HEX_PAIR[first.charCodeAt(0) | (second.charCodeAt(0) << 8)] = value(first) * 16 + value(second);
