import { armMmuFamily } from './arm-mmu.ts';
import type { Family } from './family.ts';
import { linuxArmFamily } from './linux-arm.ts';
import { protocolsFamily } from './protocols.ts';
import { tracesFamily } from './traces.ts';

export const families: readonly Family[] = [tracesFamily, protocolsFamily, armMmuFamily, linuxArmFamily];
