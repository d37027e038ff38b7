import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { noAsid } from './none.ts';

export const manifest = defineManifest({
  id: 'asid-none',
  slot: 'asid',
  version: '1.0.0',
  summary: 'No ASIDs: every context switch invalidates the TLB (ARMv5 and before).',
  source: 'Linux arch/arm/mm/proc-arm926.S, cpu_arm926_switch_mm',
  requires: ['page-table', 'tlb', 'cache'],
  optional: ['ioremap'],
  config: z.strictObject({}),
  create: (_config, deps) => noAsid(deps['page-table'], deps.tlb, deps.cache, deps.ioremap),
});
