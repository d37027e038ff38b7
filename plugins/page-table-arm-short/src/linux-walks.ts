import { walkerOf, walkStepsOf } from '@tablewalk/architecture';
import type { Registers, Walker, WordReader } from '@tablewalk/contracts';
import { armShortFormat } from './format/index.ts';

/**
 * Registers under which Linux has its tables walked: one table for all addresses (TTBCR 0), no access flag and no
 * TEX remap, as the words of armv6_set_pte_ext expect (SCTLR.AFE, TRE 0), and domains kernel 0, user 1 and IO 2
 * client, the rest without access (arch/arm/include/asm/domain.h without CPU_USE_DOMAINS and SW PAN). A CPU without
 * PXN, as Cortex-A9: a first-level descriptor of type 0b11 is a translation fault.
 */
const LINUX_REGISTERS: Registers = { SCTLR: 0n, TTBCR: 0n, DACR: 0x15n, ID_MMFR0: 3n };
const linuxRegime = armShortFormat.regime(LINUX_REGISTERS);

export const shortWalker = (memory: WordReader): Walker => walkerOf(linuxRegime, 4, memory);

/** A fault of permission is of level 1 for sections and supersections, of level 2 for pages. */
export const shortWalkSteps = walkStepsOf(linuxRegime, 4, (pageShift) => (pageShift >= 20 ? 1 : 2));
