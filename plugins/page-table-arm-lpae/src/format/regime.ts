import { FaultKind, WalkStage } from '@tablewalk/contracts';
import type { Regime, Registers, Walk } from '@tablewalk/contracts';
import { attributesOfMair } from './memory-type.ts';
import { parOfFault, parOfLeaf } from './par.ts';
import { leafOf, Leaf, permissionsUnder, TableAttribute } from './permissions.ts';
import { lpaeRegisters } from './registers.ts';

/**
 * TranslationTableWalkLD and CheckPermission of the ARM ARM (DDI 0406C B3.19.6; B3.6.4 to B3.6.6, B3.7), a
 * descriptor at a time. Faults come in the order of B3.12: translation, access flag, permission; there are no
 * domains. `Walk.inherited` has bits [63:59] of the tables passed, or-ed (`TableAttribute`); `Walk.leaf` has the
 * attributes of the leaf itself (`Leaf`).
 */
export function lpaeRegime(registers: Registers): Regime {
  const under = lpaeRegisters(registers);
  const { t0sz, t1sz, epd0, epd1, ttbr0, ttbr1, mair, secure } = under;
  const lower = halfOf(t0sz);
  const upper = halfOf(t1sz);
  /** The highest 2^(32 - T1SZ) bytes; with T1SZ 0 all that TTBR0 does not have, and TTBR0 comes first. */
  const upperStart = t1sz === 0 ? lower.bytes : 2 ** 32 - upper.bytes;
  const permits = permissionsUnder(under);

  return {
    begin(walk, va, table = ttbr0) {
      walk.va = va >>> 0;
      walk.inherited = 0;
      walk.pa = 0;
      // A walk that has no table to begin at is reported at level 1.
      walk.level = 1;
      if (walk.va >= upperStart) {
        if (epd1) fault(walk, FaultKind.translation);
        else enter(walk, upper, ttbr1);
      } else if (walk.va < lower.bytes && !epd0) enter(walk, lower, table);
      else fault(walk, FaultKind.translation);
    },

    descend(walk, lo, hi) {
      const isTable = (lo & 0b10) !== 0;
      // Invalid; and at level 3 type 0b01, which is reserved.
      if ((lo & 1) === 0 || (walk.level === 3 && !isTable)) return fault(walk, FaultKind.translation);
      if (walk.level < 3 && isTable) {
        walk.inherited |= hi >>> 27;
        walk.pa = addressIn(lo, hi) + entryOf(walk.va, walk.level + 1) * 8;
        walk.level += 1;
        return;
      }
      const shift = SHIFT[walk.level] as number;
      const address = addressIn(lo, hi);
      walk.stage = WalkStage.leaf;
      walk.fault = FaultKind.none;
      walk.shift = shift;
      walk.base = address - (address % 2 ** shift);
      walk.leaf = leafOf(lo, hi);
    },

    check(walk, access) {
      if ((walk.leaf & Leaf.accessFlag) === 0) return FaultKind.accessFlag;
      return permits(walk.leaf, walk.inherited, access) ? FaultKind.none : FaultKind.permission;
    },

    status: statusOf,
    // Secure state takes what it reads from Non-secure memory for not global, whatever nG says (B3.6.3).
    global: ({ leaf, inherited }) =>
      (leaf & Leaf.notGlobal) === 0 && !(secure && (inherited & TableAttribute.ns) !== 0),
    attributes: ({ leaf }) => attributesOfMair(mairByte(mair, leaf), (leaf >>> Leaf.shareabilityLow) & 0b11),

    par(walk, kind) {
      if (kind !== FaultKind.none) return parOfFault(statusOf(kind, walk.level));
      const ns = !secure || (walk.leaf & Leaf.ns) !== 0 || (walk.inherited & TableAttribute.ns) !== 0;
      return parOfLeaf(walk, mairByte(mair, walk.leaf), (walk.leaf >>> Leaf.shareabilityLow) & 0b11, ns);
    },
  };
}

/** Log2 of what an entry covers, by level. */
const SHIFT: readonly number[] = [0, 30, 21, 12];

interface Half {
  /** Bytes of virtual addresses that it has: 2^(32 - TnSZ). */
  readonly bytes: number;
  /** A half of 1 GiB or less begins at level 2. */
  readonly startLevel: number;
  /** Bytes of its first table, which is aligned to as much. */
  readonly tableBytes: number;
}

function halfOf(tnsz: number): Half {
  const startLevel = tnsz > 1 ? 2 : 1;
  const bytes = 2 ** (32 - tnsz);
  return { bytes, startLevel, tableBytes: (bytes / 2 ** (SHIFT[startLevel] as number)) * 8 };
}

function enter(walk: Walk, { bytes, startLevel, tableBytes }: Half, table: number): void {
  walk.stage = WalkStage.table;
  walk.fault = FaultKind.none;
  walk.level = startLevel;
  const entry = Math.floor((walk.va % bytes) / 2 ** (SHIFT[startLevel] as number));
  walk.pa = table - (table % tableBytes) + entry * 8;
}

/** Number of the entry for an address in a whole table of 512. */
const entryOf = (va: number, level: number): number => (va >>> (SHIFT[level] as number)) & 0x1ff;

/** Bits [39:12] of a descriptor in place: of a next-level table, and with more low bits to drop of an output. */
const addressIn = (lo: number, hi: number): number => (hi & 0xff) * 2 ** 32 + ((lo & 0xffff_f000) >>> 0);

const mairByte = (mair: readonly number[], leaf: number): number =>
  mair[(leaf >>> Leaf.attrIndxLow) & 0b111] as number;

/** STATUS[5:2] by kind, ARM ARM DDI 0406C B3.13.3; the level is in [1:0]. There are no domain faults. */
const STATUS: Readonly<Record<FaultKind, number>> = {
  [FaultKind.none]: 0,
  [FaultKind.translation]: 0b0001,
  [FaultKind.accessFlag]: 0b0010,
  [FaultKind.domain]: 0b0011,
  [FaultKind.permission]: 0b0011,
};
const statusOf = (kind: FaultKind, level: number): number => STATUS[kind] * 4 + level;

function fault(walk: Walk, kind: FaultKind): void {
  walk.stage = WalkStage.fault;
  walk.fault = kind;
}
