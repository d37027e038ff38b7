import type { TableFormat } from '@tablewalk/contracts';
import { shortLayoutOf, shortLayouts } from './layouts.ts';
import { shortRegime } from './regime.ts';
import { selectsShort } from './registers.ts';

/**
 * The Short-descriptor translation table format of VMSAv7, whole: fault, page table, section, supersection with
 * PA[39:32], large and small page, domains, AFE, TEX remap, TTBCR.N, PD0 and PD1. The MMU is taken as on.
 *
 * Registers: TTBCR, TTBR0, TTBR1, DACR, SCTLR (AFE, TRE, WXN, UWXN), PRRR, NMRR, and for what the CPU has,
 * ID_MMFR0[3:0] (3: VMSAv7, as Cortex-A9; 4: and PXN; 5: and LPAE) and SCR.NS. `DEFAULTS` of registers.ts says
 * what an absent one is. Not in the model: stage 2, Hyp mode, alignment faults, external aborts on a walk.
 */
export const armShortFormat: TableFormat = {
  name: 'arm-short',
  source:
    'ARM ARM DDI 0406C B3.5 (descriptors, walk), B3.7 (permissions, domains), B3.8 (memory types), B3.13',
  wordBytes: 4,
  registers: ['TTBR0'],
  selectedBy: selectsShort,
  regime: shortRegime,
  layouts: shortLayouts,
  layoutOf: shortLayoutOf,
};
