import type { Registers } from '@tablewalk/contracts';

/**
 * What the walk asks of the registers (ARM ARM DDI 0406C B4.1), as plain numbers, read once. A register that is
 * absent has the value of `DEFAULTS`. SCTLR.M is not looked at: who asks for a walk means one.
 */
export interface LpaeRegisters {
  /** TTBCR.T0SZ, T1SZ: 0 to 7. The half of TTBR0 is the lowest 2^(32 - T0SZ) bytes, that of TTBR1 the highest. */
  readonly t0sz: number;
  readonly t1sz: number;
  /** TTBCR.EPD0 and EPD1: no walks by TTBR0, by TTBR1. */
  readonly epd0: boolean;
  readonly epd1: boolean;
  /** Physical byte addresses in bits [39:0] of the registers, without the ASID. */
  readonly ttbr0: number;
  readonly ttbr1: number;
  /** Attr0 to Attr7 of MAIR0 and MAIR1. */
  readonly mair: readonly number[];
  readonly wxn: boolean;
  readonly uwxn: boolean;
  /** SCR.NS is 0. */
  readonly secure: boolean;
}

/**
 * Where a register is absent. TTBCR: EAE, the rest 0. MAIR0, MAIR1: 0, every attribute Strongly-ordered. ID_MMFR0:
 * VMSAv7 with PXN and LPAE. SCR: Non-secure.
 */
export const DEFAULTS: Registers = {
  SCTLR: 0n,
  TTBCR: 0x8000_0000n,
  TTBR0: 0n,
  TTBR1: 0n,
  MAIR0: 0n,
  MAIR1: 0n,
  ID_MMFR0: 5n,
  SCR: 1n,
};

/** ID_MMFR0[3:0], VMSA support. */
const VMSA_WITH_LPAE = 5;

export function lpaeRegisters(registers: Registers): LpaeRegisters {
  const [sctlr, ttbcr, scr] = [word(registers, 'SCTLR'), word(registers, 'TTBCR'), word(registers, 'SCR')];
  return {
    t0sz: ttbcr & 0b111,
    t1sz: (ttbcr >>> 16) & 0b111,
    epd0: bit(ttbcr, 7),
    epd1: bit(ttbcr, 23),
    ttbr0: tableAddress(registers, 'TTBR0'),
    ttbr1: tableAddress(registers, 'TTBR1'),
    mair: ['MAIR0', 'MAIR1'].flatMap((name) =>
      [0, 8, 16, 24].map((low) => (word(registers, name) >>> low) & 0xff),
    ),
    wxn: bit(sctlr, 19),
    uwxn: bit(sctlr, 20),
    secure: !bit(scr, 0),
  };
}

/** TTBCR.EAE is 1, on a CPU that has it. */
export const selectsLpae = (registers: Registers): boolean =>
  registers['TTBCR'] !== undefined &&
  bit(word(registers, 'TTBCR'), 31) &&
  (word(registers, 'ID_MMFR0') & 0xf) >= VMSA_WITH_LPAE;

const bit = (value: number, place: number): boolean => ((value >>> place) & 1) === 1;
const valueOf = (registers: Registers, name: string): bigint => registers[name] ?? DEFAULTS[name] ?? 0n;
const word = (registers: Registers, name: string): number =>
  Number(BigInt.asUintN(32, valueOf(registers, name)));
const tableAddress = (registers: Registers, name: string): number =>
  Number(BigInt.asUintN(40, valueOf(registers, name)));
