import type { Registers } from '@tablewalk/contracts';
import type { DumpMeta } from './meta.ts';
import type { TablePages } from './pages.ts';

/** A snapshot of a machine's translation tables: pages of memory, and the registers that make them tables. */
export interface TableDump {
  /** Of the file with the pages, for messages. */
  readonly name: string;
  readonly pages: TablePages;
  readonly meta: DumpMeta;
}

export interface RegisterOverrides {
  /** Physical byte address of a first level: TTBR0, with the attribute bits or the ASID that the CPU's own has. */
  readonly root?: number;
  readonly dacr?: number;
}

/**
 * Registers of one CPU by the manual's names. `cpu` is an index of `meta.cpus`. c10,c2,0 and c10,c2,1 are PRRR and
 * NMRR in the short format, MAIR0 and MAIR1 in the long one.
 */
export function registersOf(
  { meta }: TableDump,
  cpu: number,
  { root, dacr }: RegisterOverrides = {},
): Registers {
  const own = meta.cpus[cpu];
  if (own === undefined) throw new RangeError(`the dump has no CPU ${cpu}`);
  const { SCTLR, TTBCR, TTBR0, TTBR1, DACR, PRRR_MAIR0, NMRR_MAIR1, ID_MMFR0, SCR } = own;
  const [first, second] = meta.lpae ? ['MAIR0', 'MAIR1'] : ['PRRR', 'NMRR'];
  return {
    SCTLR: BigInt(SCTLR),
    TTBCR: BigInt(TTBCR),
    TTBR0: root === undefined ? TTBR0 : withRoot(TTBR0, root, meta.lpae, TTBCR),
    TTBR1,
    DACR: BigInt(dacr ?? DACR),
    [first as string]: BigInt(PRRR_MAIR0),
    [second as string]: BigInt(NMRR_MAIR1),
    ID_MMFR0: BigInt(ID_MMFR0),
    ...(SCR === undefined ? {} : { SCR: BigInt(SCR) }),
  };
}

/** Long: ASID in [55:48]. Short: attributes of the walk below the table's address, which has [31:14-N]. */
const withRoot = (ttbr0: bigint, root: number, lpae: boolean, ttbcr: number): bigint =>
  BigInt(root) | (ttbr0 & (lpae ? 0xffn << 48n : (1n << BigInt(14 - (ttbcr & 0b111))) - 1n));

/** Physical byte address of the first level in the CPU's own TTBR0. */
export const ownRoot = ({ meta }: TableDump, cpu: number): number => {
  const { TTBR0 = 0n, TTBCR = 0 } = meta.cpus[cpu] ?? {};
  const kept = meta.lpae
    ? ((1n << 40n) - 1n) & ~0x1fn
    : 0xffff_ffffn & ~((1n << BigInt(14 - (TTBCR & 7))) - 1n);
  return Number(TTBR0 & kept);
};
