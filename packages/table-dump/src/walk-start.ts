import { hex } from '@tablewalk/base';
import type { Registers, TableFormat } from '@tablewalk/contracts';

/** Where a walk begins, and why there: the choice of TTBR in words. `Regime.begin` makes the choice itself. */
export interface WalkStart {
  /** `none`: walks are disabled there, or neither register has the address. */
  readonly ttbr: 'TTBR0' | 'TTBR1' | 'none';
  readonly why: string;
  /** Level of the first table, and bits of its index. */
  readonly level: number;
  readonly indexBits: number;
}

export const walkStart = ({ wordBytes }: TableFormat, registers: Registers, va: number): WalkStart => {
  const ttbcr = Number(BigInt.asUintN(32, registers['TTBCR'] ?? 0n));
  return wordBytes === 8 ? longStart(ttbcr, va) : shortStart(ttbcr, va);
};

/** ARM ARM DDI 0406C B3.5.4. */
function shortStart(ttbcr: number, va: number): WalkStart {
  const n = ttbcr & 0b111;
  const below = 2 ** (32 - n);
  if (va < below) {
    const start = { level: 1, indexBits: 12 - n };
    if ((ttbcr & 0x10) !== 0) return { ttbr: 'none', why: 'TTBCR.PD0 disables walks by TTBR0', ...start };
    const why =
      n === 0
        ? 'TTBCR.N is 0, so TTBR0 has every address'
        : `TTBCR.N is ${n}, so TTBR0 has addresses below ${hex(below)}`;
    return { ttbr: 'TTBR0', why, ...start };
  }
  const start = { level: 1, indexBits: 12 };
  if ((ttbcr & 0x20) !== 0) return { ttbr: 'none', why: 'TTBCR.PD1 disables walks by TTBR1', ...start };
  return { ttbr: 'TTBR1', why: `TTBCR.N is ${n}, so TTBR1 has ${hex(below)} and above`, ...start };
}

/** ARM ARM DDI 0406C B3.6.4: a region of 2^(32 - TxSZ) bytes at the bottom, and one at the top. */
function longStart(ttbcr: number, va: number): WalkStart {
  const [t0sz, t1sz] = [ttbcr & 0b111, (ttbcr >>> 16) & 0b111];
  const bottom = t0sz === 0 && t1sz !== 0 ? 2 ** 32 - 2 ** (32 - t1sz) : 2 ** (32 - t0sz);
  const top = t1sz === 0 ? bottom : 2 ** 32 - 2 ** (32 - t1sz);
  const sizes = `TTBCR.T0SZ is ${t0sz}, T1SZ is ${t1sz}`;
  if (va < bottom) {
    const start = longTable(t0sz);
    if ((ttbcr & 0x80) !== 0) return { ttbr: 'none', why: 'TTBCR.EPD0 disables walks by TTBR0', ...start };
    const reach = bottom === 2 ** 32 ? 'every address' : `addresses below ${hex(bottom)}`;
    return { ttbr: 'TTBR0', why: `${sizes}, so TTBR0 has ${reach}`, ...start };
  }
  const start = longTable(t1sz);
  if (va < top) return { ttbr: 'none', why: `${sizes}: neither TTBR has the address`, ...start };
  if ((ttbcr & 0x80_0000) !== 0) return { ttbr: 'none', why: 'TTBCR.EPD1 disables walks by TTBR1', ...start };
  return { ttbr: 'TTBR1', why: `${sizes}, so TTBR1 has ${hex(top)} and above`, ...start };
}

/** Sizes of 2 and more leave nothing of the first level: the TTBR has a second-level table. */
const longTable = (tsz: number): { level: number; indexBits: number } =>
  tsz < 2 ? { level: 1, indexBits: 2 - tsz } : { level: 2, indexBits: 11 - tsz };

/** log2 of the bytes that one entry of a table at this level covers. */
export const shiftOfLevel = ({ wordBytes }: TableFormat, level: number): number =>
  wordBytes === 8 ? 39 - 9 * level : level === 1 ? 20 : 12;

/** Index that a walk for `va` uses in its table at `level`. */
export function indexAt(format: TableFormat, start: WalkStart, level: number, va: number): number {
  const full = format.wordBytes === 8 ? 9 : 8;
  const bits = level === start.level ? start.indexBits : full;
  return Math.floor(va / 2 ** shiftOfLevel(format, level)) % 2 ** bits;
}
