import { FaultKind, WalkStage } from '@tablewalk/contracts';
import type { Regime, Registers, Walk } from '@tablewalk/contracts';
import { domainOf, inheritedOf, largePageLeaf, Leaf, sectionLeaf, smallPageLeaf } from './leaf.ts';
import { attributesUnder } from './memory-type.ts';
import { parOfFault, parOfLeaf } from './par.ts';
import { permissionsUnder } from './permissions.ts';
import { shortRegisters } from './registers.ts';

/**
 * TranslationTableWalkSD, CheckDomain and CheckPermission of the ARM ARM (DDI 0406C B3.19; B3.5.5, B3.7), a
 * descriptor at a time. Faults come in the order of B3.12 (MMU faults): translation, access flag, domain, permission.
 */
export function shortRegime(registers: Registers): Regime {
  const under = shortRegisters(registers);
  const { n, pd0, pd1, ttbr0, ttbr1, dacr, afe, hasPxn, secure } = under;
  const permits = permissionsUnder(under);
  const attributesOf = attributesUnder(under);
  /** TTBR0 has its table in bits [31:14-N]; TTBR1 always in [31:14]. */
  const base0Mask = -1 << (14 - n);
  const base1 = ttbr1 & (-1 << 14);

  return {
    begin(walk, va, table = ttbr0) {
      walk.va = va;
      walk.level = 1;
      walk.inherited = 0;
      walk.pa = 0;
      // N is 0, or VA[31:32-N] is 0: TTBR0 (B3.5.4). JavaScript shifts by 32 - N modulo 32, so N 0 is told apart.
      const lower = n === 0 || va >>> (32 - n) === 0;
      if (lower ? pd0 : pd1) return fault(walk, FaultKind.translation);
      walk.stage = WalkStage.table;
      walk.fault = FaultKind.none;
      walk.pa = ((lower ? table & base0Mask : base1) | ((va >>> 20) << 2)) >>> 0;
    },

    descend(walk, descriptor) {
      if (walk.level === 2) return secondLevel(walk, descriptor);
      const type = descriptor & 0b11;
      if (type === 0b01) {
        walk.pa = ((descriptor & 0xffff_fc00) | (((walk.va >>> 12) & 0xff) << 2)) >>> 0;
        walk.level = 2;
        walk.inherited = inheritedOf(descriptor, hasPxn);
        return;
      }
      if (type === 0b00 || (type === 0b11 && !hasPxn)) return fault(walk, FaultKind.translation);
      const supersection = (descriptor & (1 << 18)) !== 0;
      leaf(walk, sectionLeaf(descriptor, hasPxn, supersection));
      walk.base = supersection ? supersectionBase(descriptor) : (descriptor & 0xfff0_0000) >>> 0;
      walk.shift = supersection ? 24 : 20;
    },

    check(walk, access) {
      if (afe && (walk.leaf & 1) === 0) return FaultKind.accessFlag;
      switch ((dacr >>> (2 * domainOf(walk.leaf))) & 0b11) {
        case DACR_MANAGER:
          return FaultKind.none;
        case DACR_CLIENT:
          return permits(walk.leaf, access) ? FaultKind.none : FaultKind.permission;
        default:
          // No access; and 0b10, which is reserved and UNPREDICTABLE.
          return FaultKind.domain;
      }
    },

    status: statusOf,
    global: (walk) => (walk.leaf & Leaf.notGlobal) === 0,
    attributes: (walk) => attributesOf(walk.leaf),

    par(walk, kind) {
      if (kind !== FaultKind.none) return parOfFault(statusOf(kind, walk.level));
      return parOfLeaf(walk, attributesOf(walk.leaf), !secure || (walk.leaf & Leaf.ns) !== 0);
    },
  };
}

const DACR_CLIENT = 0b01;
const DACR_MANAGER = 0b11;

/** FS[10,3:0] by kind and level, ARM ARM DDI 0406C B3.13.3. */
const STATUS: Readonly<Record<FaultKind, readonly [first: number, second: number]>> = {
  [FaultKind.none]: [0, 0],
  [FaultKind.translation]: [0b00101, 0b00111],
  [FaultKind.accessFlag]: [0b00011, 0b00110],
  [FaultKind.domain]: [0b01001, 0b01011],
  [FaultKind.permission]: [0b01101, 0b01111],
};
const statusOf = (kind: FaultKind, level: number): number => STATUS[kind][level === 1 ? 0 : 1];

function secondLevel(walk: Walk, descriptor: number): void {
  const type = descriptor & 0b11;
  if (type === 0b00) return fault(walk, FaultKind.translation);
  const large = type === 0b01;
  leaf(walk, large ? largePageLeaf(descriptor, walk.inherited) : smallPageLeaf(descriptor, walk.inherited));
  walk.base = (descriptor & (large ? 0xffff_0000 : 0xffff_f000)) >>> 0;
  walk.shift = large ? 16 : 12;
}

/** PA[39:36] in [8:5], PA[35:32] in [23:20], PA[31:24] where it belongs. */
const supersectionBase = (descriptor: number): number =>
  ((descriptor >>> 5) & 0xf) * 2 ** 36 +
  ((descriptor >>> 20) & 0xf) * 2 ** 32 +
  ((descriptor & 0xff00_0000) >>> 0);

function leaf(walk: Walk, bits: number): void {
  walk.stage = WalkStage.leaf;
  walk.fault = FaultKind.none;
  walk.leaf = bits;
}

function fault(walk: Walk, kind: FaultKind): void {
  walk.stage = WalkStage.fault;
  walk.fault = kind;
}
