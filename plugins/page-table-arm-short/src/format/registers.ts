import type { Registers } from '@tablewalk/contracts';

/**
 * What the walk asks of the registers (ARM ARM DDI 0406C B4.1), as plain numbers, read once. A register that
 * is absent has the value of `DEFAULTS`. SCTLR.M is not looked at: who asks for a walk means one.
 */
export interface ShortRegisters {
  /** TTBCR.N: 0 to 7. */
  readonly n: number;
  /** TTBCR.PD0 and PD1: no walks by TTBR0, by TTBR1. */
  readonly pd0: boolean;
  readonly pd1: boolean;
  /** Whole registers, with the attributes of the walk in their low bits. */
  readonly ttbr0: number;
  readonly ttbr1: number;
  readonly dacr: number;
  /** SCTLR.AFE: AP[0] is the access flag. */
  readonly afe: boolean;
  /** SCTLR.TRE: TEX remap by PRRR and NMRR. */
  readonly tre: boolean;
  readonly wxn: boolean;
  readonly uwxn: boolean;
  readonly prrr: number;
  readonly nmrr: number;
  /** ID_MMFR0[3:0] is 4 or more: descriptors have PXN, and first-level type 0b11 is a section with it. */
  readonly hasPxn: boolean;
  /** SCR.NS is 0. */
  readonly secure: boolean;
}

/**
 * Where a register is absent. SCTLR, TTBCR: 0, the value at reset of the bits that count here. DACR: every domain
 * client, so that permissions decide. PRRR, NMRR: at reset of a Cortex-A9 (its TRM, 4.2), which give what TEX,
 * C and B say without remap. ID_MMFR0: VMSAv7 with PXN and LPAE. SCR: Non-secure.
 */
export const DEFAULTS: Registers = {
  SCTLR: 0n,
  TTBCR: 0n,
  TTBR0: 0n,
  TTBR1: 0n,
  DACR: 0x5555_5555n,
  PRRR: 0x0009_8aa4n,
  NMRR: 0x44e0_48e0n,
  ID_MMFR0: 5n,
  SCR: 1n,
};

/** ID_MMFR0[3:0], VMSA support. */
const VMSA_WITH_PXN = 4;
const VMSA_WITH_LPAE = 5;

export function shortRegisters(registers: Registers): ShortRegisters {
  const [sctlr, ttbcr, scr] = [word(registers, 'SCTLR'), word(registers, 'TTBCR'), word(registers, 'SCR')];
  return {
    n: ttbcr & 0b111,
    pd0: bit(ttbcr, 4),
    pd1: bit(ttbcr, 5),
    ttbr0: word(registers, 'TTBR0'),
    ttbr1: word(registers, 'TTBR1'),
    dacr: word(registers, 'DACR'),
    afe: bit(sctlr, 29),
    tre: bit(sctlr, 28),
    wxn: bit(sctlr, 19),
    uwxn: bit(sctlr, 20),
    prrr: word(registers, 'PRRR'),
    nmrr: word(registers, 'NMRR'),
    hasPxn: vmsaOf(registers) >= VMSA_WITH_PXN,
    secure: !bit(scr, 0),
  };
}

/** TTBCR.EAE is 0, or is not there: it comes with the Large Physical Address Extension. */
export const selectsShort = (registers: Registers): boolean =>
  !bit(word(registers, 'TTBCR'), 31) || vmsaOf(registers) < VMSA_WITH_LPAE;

const vmsaOf = (registers: Registers): number => word(registers, 'ID_MMFR0') & 0xf;
const bit = (value: number, place: number): boolean => ((value >>> place) & 1) === 1;
const word = (registers: Registers, name: string): number =>
  Number(BigInt.asUintN(32, registers[name] ?? DEFAULTS[name] ?? 0n));
