import { walkerOf, walkStepsOf } from '@tablewalk/architecture';
import type { MachineFacts, Regime, Registers, Walker, WalkSteps, WordReader } from '@tablewalk/contracts';
import { armLpaeFormat } from './format/index.ts';
import { SWAPPER_TABLES, swapperAddress } from './geometry.ts';

/**
 * Registers under which Linux has its tables walked (arch/arm/mm/proc-v7-3level.S, arch/arm/include/asm/
 * pgtable-3level-hwdef.h; spec/page-tables.md, 5.2 and 5.3): EAE, T0SZ 0; where PHYS_OFFSET is not above PAGE_OFFSET,
 * T1SZ = (PAGE_OFFSET >> 30) - 1, and TTBR1 points to what swapper_pg_dir has for the kernel, which begins at level 2
 * when that is one GiB. Otherwise TTBR0 is walked for every address: a CPU that boots on the identity mapping would
 * have it in the half of TTBR1.
 */
export function linuxRegisters(pageOffset: number, machine: Pick<MachineFacts, 'ramBase'>): Registers {
  const swapper = swapperAddress(machine);
  const t1sz = machine.ramBase <= pageOffset ? Math.floor(pageOffset / 2 ** 30) - 1 : 0;
  // 2G/2G: past two entries of level 1. 3G/1G: past the first level and three tables of level 2.
  const ttbr1 = [0, swapper + 16, swapper + SWAPPER_TABLES + 3 * 4096][t1sz] ?? 0;
  return {
    SCTLR: 0n,
    TTBCR: 0x8000_0000n | (BigInt(t1sz) << 16n),
    TTBR1: BigInt(ttbr1),
    // PRRR and NMRR of proc-v7-3level.S: 0 strongly ordered, 1 NC, 2 WT, 3 WB, 4 device, 7 WBWA.
    MAIR0: 0xeeaa_4400n,
    MAIR1: 0xff00_0004n,
  };
}

export const linuxRegime = (pageOffset: number, machine: Pick<MachineFacts, 'ramBase'>): Regime =>
  armLpaeFormat.regime(linuxRegisters(pageOffset, machine));

export const lpaeWalker = (regime: Regime, memory: WordReader): Walker => walkerOf(regime, 8, memory);

/** A fault of permission is of level 1 for a GiB, of level 2 for 2 MiB, of level 3 for a page. */
export const lpaeWalkSteps = (regime: Regime): WalkSteps =>
  walkStepsOf(regime, 8, (pageShift) => (pageShift >= 30 ? 1 : pageShift >= 21 ? 2 : 3));
