import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ipiAll } from './ipi-all.ts';

export const manifest = defineManifest({
  id: 'shootdown-ipi-all',
  slot: 'shootdown',
  version: '1.0.0',
  summary: 'An IPI to every other CPU, and a wait for all acknowledgements.',
  source: 'Linux arch/arm/kernel/smp_tlb.c, on_each_cpu',
  requires: ['asid', 'tlb'],
  facets: ['kernel-ranges'],
  config: z.strictObject({}),
  create: (_config, { asid, tlb }, { cpus }) => ipiAll(cpus, asid, tlb),
});
