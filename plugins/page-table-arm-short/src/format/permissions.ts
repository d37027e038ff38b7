import type { Access } from '@tablewalk/contracts';
import { apOf, Leaf } from './leaf.ts';
import type { ShortRegisters } from './registers.ts';

/** Who may what, as bits. */
const May = { read0: 1, write0: 2, read1: 4, write1: 8 } as const;
const { read0, write0, read1, write1 } = May;

/**
 * AP[2:0] with SCTLR.AFE 0 (ARM ARM DDI 0406C B3.7.1). 0b100 is reserved and UNPREDICTABLE: no access here. With AFE 1
 * AP[0] is no permission and counts as 1 (CheckPermission, B3.19), which leaves AP[2:1] of the simplified model.
 */
const ACCESS_BY_AP: readonly number[] = [
  0,
  read1 | write1,
  read0 | read1 | write1,
  read0 | write0 | read1 | write1,
  0,
  read1,
  read0 | read1,
  read0 | read1,
];

/** Is the access permitted in a client domain? */
export type Permits = (leaf: number, access: Access) => boolean;

/**
 * Permissions under these registers (B3.7.1, B3.7.2). A fetch needs permission to read, XN clear, and at PL1 PXN
 * clear. WXN: what the privilege level may write it may not execute; UWXN: what PL0 may write PL1 may not
 * execute. The text of DDI 0406C does not say whose write permission WXN means; CheckPermission of DDI 0487
 * (AArch32) takes that of the level that fetches, which matters for AP 0b010 alone.
 */
export function permissionsUnder({ afe, wxn, uwxn }: ShortRegisters): Permits {
  const apForced = afe ? 1 : 0;
  return (leaf, { write, fetch, privileged }) => {
    const may = ACCESS_BY_AP[apOf(leaf) | apForced] as number;
    const writable = (may & (privileged ? write1 : write0)) !== 0;
    if (write) return writable;
    if ((may & (privileged ? read1 : read0)) === 0) return false;
    if (!fetch) return true;
    if ((leaf & Leaf.xn) !== 0 || (wxn && writable)) return false;
    return !privileged || ((leaf & Leaf.pxn) === 0 && !(uwxn && (may & write0) !== 0));
  };
}
