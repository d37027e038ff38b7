import type { Cacheability, MemoryAttributes } from '@tablewalk/contracts';
import { Leaf, texcbOf } from './leaf.ts';
import type { ShortRegisters } from './registers.ts';

/** Two bits of TEX[1:0], of C:B with TEX[2] set, and of NMRR: the same code everywhere. */
const CACHEABILITY: readonly Cacheability[] = ['NC', 'WBWA', 'WT', 'WB'];
const cacheability = (bits: number): Cacheability => CACHEABILITY[bits & 0b11] as Cacheability;

export function attributesUnder({ tre, prrr, nmrr }: ShortRegisters): (leaf: number) => MemoryAttributes {
  return (leaf) => {
    const shareable = (leaf & Leaf.shareable) !== 0;
    return tre ? remapped(texcbOf(leaf), shareable, prrr, nmrr) : byTex(texcbOf(leaf), shareable);
  };
}

const NORMAL_BY_TEXCB: Readonly<Record<number, Cacheability>> = {
  0b00010: 'WT',
  0b00011: 'WB',
  0b00100: 'NC',
  0b00111: 'WBWA',
};

/**
 * TEX, C and B without remap: DefaultTEXDecode, ARM ARM DDI 0406C B3.8.2. `reserved` is also what the table
 * leaves to the implementation (TEX 0b001, C 1, B 0).
 */
function byTex(texcb: number, shareable: boolean): MemoryAttributes {
  if ((texcb & 0b10000) !== 0)
    return normal(cacheability(texcb), cacheability(texcb >>> 2), shareable, shareable);
  if (texcb === 0b00000) return { type: 'strongly-ordered' };
  // Shareable Device, and Non-shareable Device.
  if (texcb === 0b00001 || texcb === 0b01000) return { type: 'device' };
  const both = NORMAL_BY_TEXCB[texcb];
  return both === undefined ? { type: 'reserved' } : normal(both, both, shareable, shareable);
}

/**
 * TEX[0], C and B choose one of eight regions of PRRR and NMRR: RemappedTEXDecode, B3.8.3. `reserved` is
 * PRRR.TRn 0b11, and region 6, which is IMPLEMENTATION DEFINED.
 */
function remapped(texcb: number, s: boolean, prrr: number, nmrr: number): MemoryAttributes {
  const region = texcb & 0b111;
  if (region === 6) return { type: 'reserved' };
  switch ((prrr >>> (2 * region)) & 0b11) {
    case 0b00:
      return { type: 'strongly-ordered' };
    case 0b01:
      return { type: 'device' };
    case 0b10: {
      // NS0 and NS1: what S means. NOSn: shareable, but Inner Shareable alone.
      const shareable = ((prrr >>> (s ? 19 : 18)) & 1) === 1;
      const outerShareable = shareable && ((prrr >>> (24 + region)) & 1) === 0;
      const [inner, outer] = [nmrr >>> (2 * region), nmrr >>> (2 * region + 16)];
      return normal(cacheability(inner), cacheability(outer), shareable, outerShareable);
    }
    default:
      return { type: 'reserved' };
  }
}

const normal = (
  inner: Cacheability,
  outer: Cacheability,
  shareable: boolean,
  outerShareable: boolean,
): MemoryAttributes => ({ type: 'normal', inner, outer, shareable, outerShareable });
