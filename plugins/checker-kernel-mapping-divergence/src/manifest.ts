import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ID, kernelMappingDivergence } from './kernel-mapping-divergence.ts';

export const manifest = defineManifest({
  id: ID,
  slot: 'checker',
  version: '1.0.0',
  summary: 'No CPU reaches a device through an address that no longer leads there.',
  source:
    'spec/page-tables.md G1; linux-arm-kernel, "Why does unmap_area_sections() depend on !CONFIG_SMP?", 2013',
  requires: ['page-table'],
  config: z.strictObject({
    look: z
      .enum(['accesses', 'tables'])
      .default('accesses')
      .describe('at what accesses lead to, or at first-level tables as well, which tells the cause earlier'),
  }),
  create: ({ look }, slots) =>
    kernelMappingDivergence(look === 'tables' ? slots['page-table'].pgd : undefined),
});
