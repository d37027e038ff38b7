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
  requires: [],
  config: z.strictObject({}),
  create: () => kernelMappingDivergence,
});
