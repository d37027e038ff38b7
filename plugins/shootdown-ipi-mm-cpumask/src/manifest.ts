import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { ipiMmCpumask } from './ipi-mm-cpumask.ts';

export const manifest = defineManifest({
  id: 'shootdown-ipi-mm-cpumask',
  slot: 'shootdown',
  version: '1.0.0',
  summary: 'An IPI to the CPUs that may hold translations of the mm, and a wait for all acknowledgements.',
  source: 'Linux arch/arm/kernel/smp_tlb.c, on_each_cpu_mask(mm_cpumask(mm))',
  requires: ['asid', 'tlb'],
  facets: ['kernel-ranges'],
  config: z.strictObject({}),
  create: (_config, { asid, tlb }, { cpus }) => ipiMmCpumask(cpus, asid, tlb),
});
