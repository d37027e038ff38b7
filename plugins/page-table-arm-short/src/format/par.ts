import type { Cacheability, MemoryAttributes, Walk } from '@tablewalk/contracts';

/** PAR.Inner of normal memory; Device is 0b011, Strongly-ordered 0b001. */
const INNER: Readonly<Record<Cacheability, number>> = { NC: 0b000, WBWA: 0b101, WT: 0b110, WB: 0b111 };
const OUTER: Readonly<Record<Cacheability, number>> = { NC: 0b00, WBWA: 0b01, WT: 0b10, WB: 0b11 };

/** PAR after a fault: F, and FS in [5:1]. ARM ARM DDI 0406C B4.1, PAR of 32 bits. */
export const parOfFault = (status: number): bigint => BigInt((status << 1) | 1);

/**
 * PAR after a translation. `ns`: NS of the descriptor in Secure state, 1 in Non-secure. A supersection (SS) has
 * PA[31:24] in [31:24] and PA[39:32] in [23:16]. NOS is set for whatever is not Outer Shareable; Device and
 * Strongly-ordered memory is Outer Shareable, as with the Large Physical Address Extension.
 */
export function parOfLeaf({ base, shift, va }: Walk, attributes: MemoryAttributes, ns: boolean): bigint {
  const supersection = shift === 24;
  const pa = base + (va % 2 ** shift);
  const page = supersection
    ? (Math.floor(base / 2 ** 24) % 256) * 2 ** 24 + Math.floor(base / 2 ** 32) * 2 ** 16
    : pa - (pa % 4096);
  return BigInt(page + attributeBits(attributes) + (ns ? 1 << 9 : 0) + (supersection ? 1 << 1 : 0));
}

function attributeBits(attributes: MemoryAttributes): number {
  const [nos, sh] = [1 << 10, 1 << 7];
  switch (attributes.type) {
    case 'strongly-ordered':
      return sh | (0b001 << 4);
    case 'device':
      return sh | (0b011 << 4);
    case 'normal': {
      const { inner, outer, shareable, outerShareable } = attributes;
      return (outerShareable ? 0 : nos) | (shareable ? sh : 0) | (INNER[inner] << 4) | (OUTER[outer] << 2);
    }
    case 'reserved':
      return 0;
  }
}
