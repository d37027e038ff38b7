import type { Cacheability, MemoryAttributes } from '@tablewalk/contracts';

const SH_OUTER = 0b10;
const SH_INNER = 0b11;

/**
 * A byte of MAIR0 or MAIR1 with the descriptor's SH (ARM ARM DDI 0406C B4.1.104, B3.8.3). Transient memory is taken
 * for the same without the hint; an encoding that is UNPREDICTABLE is `reserved`. SH 0b01 is UNPREDICTABLE, and
 * taken for not shareable.
 */
export function attributesOfMair(byte: number, sh: number): MemoryAttributes {
  const [outer, inner] = [byte >>> 4, byte & 0xf];
  if (outer === 0) {
    if (inner === 0b0000) return { type: 'strongly-ordered' };
    return { type: inner === 0b0100 ? 'device' : 'reserved' };
  }
  if (inner === 0) return { type: 'reserved' };
  return {
    type: 'normal',
    inner: cacheability(inner),
    outer: cacheability(outer),
    shareable: sh === SH_OUTER || sh === SH_INNER,
    outerShareable: sh === SH_OUTER,
  };
}

/** 0b00RW and 0b10RW write-through, 0b0100 non-cacheable, 0b01RW and 0b11RW write-back; W: write-allocate. */
function cacheability(bits: number): Cacheability {
  if (bits === 0b0100) return 'NC';
  if ((bits & 0b0100) === 0) return 'WT';
  return (bits & 1) === 0 ? 'WB' : 'WBWA';
}
