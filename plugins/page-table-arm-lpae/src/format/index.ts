import type { TableFormat } from '@tablewalk/contracts';
import { lpaeLayoutOf, lpaeLayouts } from './layouts.ts';
import { lpaeRegime } from './regime.ts';
import { selectsLpae } from './registers.ts';

/**
 * The Long-descriptor translation table format of VMSAv7 (Large Physical Address Extension), stage 1 of the PL1&0
 * regime, whole: both halves by T0SZ and T1SZ with their start levels and the hole between them, EPD0 and EPD1,
 * blocks of 1 GiB and 2 MiB, pages of 4 KiB, 40 bits of output, hierarchical APTable, XNTable, PXNTable and
 * NSTable, the access flag, attributes by MAIR0 and MAIR1, WXN and UWXN, PAR. The MMU is taken as on.
 *
 * Registers: TTBCR, TTBR0, TTBR1, MAIR0, MAIR1, SCTLR (WXN, UWXN), SCR.NS, and ID_MMFR0[3:0] for whether the CPU
 * has the extension. `DEFAULTS` of registers.ts says what an absent one is. Not in the model: stage 2, Hyp mode,
 * the contiguous hint (a walk that does not use it finds the same), alignment faults, external aborts on a walk.
 */
export const armLpaeFormat: TableFormat = {
  name: 'arm-lpae',
  source:
    'ARM ARM DDI 0406C B3.6 (descriptors, walk), B3.7 (permissions), B3.8 (memory types), B3.13, B4.1.104 (MAIR)',
  wordBytes: 8,
  registers: ['TTBCR', 'TTBR0'],
  selectedBy: selectsLpae,
  regime: lpaeRegime,
  layouts: lpaeLayouts,
  layoutOf: lpaeLayoutOf,
};
