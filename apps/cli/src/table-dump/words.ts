import { hex } from '@tablewalk/base';
import type { Cacheability, MemoryAttributes } from '@tablewalk/contracts';

const CACHEABILITY: Readonly<Record<Cacheability, string>> = {
  NC: 'non-cacheable',
  WT: 'write-through',
  WB: 'write-back, no write-allocate',
  WBWA: 'write-back, write-allocate',
};

export function attributesText(attributes: MemoryAttributes): string {
  if (attributes.type === 'reserved') return 'reserved, or IMPLEMENTATION DEFINED';
  if (attributes.type !== 'normal') return attributes.type;
  const { inner, outer, shareable, outerShareable } = attributes;
  const cached =
    inner === outer ? CACHEABILITY[inner] : `inner ${CACHEABILITY[inner]}, outer ${CACHEABILITY[outer]}`;
  return `normal, ${cached}; ${shareable ? (outerShareable ? 'outer' : 'inner') : 'not'} shareable`;
}

/** One line of a table: `normal WBWA sh`. */
export function attributesWord(attributes: MemoryAttributes): string {
  if (attributes.type !== 'normal') return attributes.type;
  const { inner, outer, shareable, outerShareable } = attributes;
  const cached = inner === outer ? inner : `${inner}/${outer}`;
  return `normal ${cached} ${shareable ? (outerShareable ? 'outer-shareable' : 'inner-shareable') : 'not-shareable'}`;
}

/** A descriptor as the manual writes it: 8 digits, or 16. */
export const wordText = ({ lo, hi }: { lo: number; hi: number }, wordBytes: 4 | 8): string =>
  wordBytes === 4 ? hex(lo) : `${hex(hi)}${lo.toString(16).padStart(8, '0')}`;

export const binary = (value: number, bits: number): string => `0b${value.toString(2).padStart(bits, '0')}`;
