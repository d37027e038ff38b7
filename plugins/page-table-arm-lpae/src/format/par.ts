import type { Walk } from '@tablewalk/contracts';

/** PAR of 64 bits, ARM ARM DDI 0406C B4.1.112: LPAE, bit 11, is 1 in both forms. */
const LPAE = 1n << 11n;

/** After a fault: F, and STATUS in [6:1]. */
export const parOfFault = (status: number): bigint => LPAE | BigInt(status * 2 + 1);

/**
 * After a translation: ATTR, the byte of MAIR, in [63:56], PA[39:12], NS in bit 9 and SH in [8:7], as the descriptor
 * has it. `ns`: in Secure state, of the leaf or of a table on the way to it; 1 in Non-secure.
 */
export function parOfLeaf({ base, shift, va }: Walk, mairByte: number, sh: number, ns: boolean): bigint {
  const pa = base + (va % 2 ** shift);
  const low = BigInt(pa - (pa % 4096) + (ns ? 1 << 9 : 0) + sh * 2 ** 7);
  return (BigInt(mairByte) << 56n) | low | LPAE;
}
