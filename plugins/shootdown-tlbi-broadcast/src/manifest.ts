import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { tlbiBroadcast } from './tlbi-broadcast.ts';

export const manifest = defineManifest({
  id: 'shootdown-tlbi-broadcast',
  slot: 'shootdown',
  version: '1.0.0',
  summary: 'TLBI to the inner shareable domain between two DSBs; no CPU is interrupted.',
  source: 'ARM ARM DDI 0406C B3.10.5; Linux arch/arm/include/asm/tlbflush.h',
  requires: ['asid', 'tlb'],
  facets: ['broadcast', 'kernel-ranges'],
  config: z.strictObject({}),
  create: (_config, { asid, tlb }, { cpus }) => tlbiBroadcast(cpus, asid, tlb),
});
