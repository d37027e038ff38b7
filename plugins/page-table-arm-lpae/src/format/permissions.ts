import type { Access } from '@tablewalk/contracts';
import type { LpaeRegisters } from './registers.ts';

/** Bits [63:59] of a table descriptor, at bit 0: what holds for all that is below it, whatever its own bits say. */
export const TableAttribute = {
  pxn: 1 << 0,
  xn: 1 << 1,
  /** APTable[0]: no access at PL0. */
  noPl0: 1 << 2,
  /** APTable[1]: no writes. */
  readOnly: 1 << 3,
  ns: 1 << 4,
} as const;

/** Attributes of a block or page: bits [11:2] where the descriptor has them, then its bits [54:52] from 12 on. */
export const Leaf = {
  attrIndxLow: 2,
  ns: 1 << 5,
  /** AP[1]: access at PL0, too. */
  pl0: 1 << 6,
  /** AP[2]. */
  readOnly: 1 << 7,
  shareabilityLow: 8,
  accessFlag: 1 << 10,
  notGlobal: 1 << 11,
  contiguous: 1 << 12,
  pxn: 1 << 13,
  xn: 1 << 14,
} as const;

export const leafOf = (lo: number, hi: number): number => (lo & 0xffc) | (((hi >>> 20) & 0b111) << 12);

/**
 * Access permissions of a leaf and of the tables on the way to it (ARM ARM DDI 0406C B3.7.1, AP[2:1] model; B3.6.3,
 * hierarchical control) and execute-never (B3.7.2). With WXN what may be written may not be executed; with UWXN,
 * PL1 does not execute what PL0 may write.
 */
export function permissionsUnder({
  wxn,
  uwxn,
}: Pick<LpaeRegisters, 'wxn' | 'uwxn'>): (leaf: number, tables: number, access: Access) => boolean {
  return (leaf, tables, { write, fetch, privileged }) => {
    const pl0 = (leaf & Leaf.pl0) !== 0 && (tables & TableAttribute.noPl0) === 0;
    const writable = (leaf & Leaf.readOnly) === 0 && (tables & TableAttribute.readOnly) === 0;
    if (!privileged && !pl0) return false;
    if (write) return writable;
    if (!fetch) return true;
    if ((leaf & Leaf.xn) !== 0 || (tables & TableAttribute.xn) !== 0 || (wxn && writable)) return false;
    if (!privileged) return true;
    return (leaf & Leaf.pxn) === 0 && (tables & TableAttribute.pxn) === 0 && !(uwxn && pl0 && writable);
  };
}
