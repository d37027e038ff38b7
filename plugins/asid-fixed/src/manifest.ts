import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { fixedAsid } from './fixed.ts';

export const manifest = defineManifest({
  id: 'asid-fixed',
  slot: 'asid',
  version: '1.0.0',
  summary: 'An ASID of its own for each address space, never reused.',
  source: 'ARM ARM DDI 0406C B3.8.2 (CONTEXTIDR.ASID); Linux arch/arm/mm/context.c',
  requires: ['page-table', 'tlb', 'cache'],
  optional: ['ioremap'],
  config: z.strictObject({
    onSwitch: z
      .enum(['keep', 'flush', 'flush-asid'])
      .default('keep')
      .describe('what a context switch does to the TLB'),
  }),
  create: (config, deps) => fixedAsid(config, deps['page-table'], deps.tlb, deps.cache, deps.ioremap),
});
