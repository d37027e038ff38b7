import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { demandPaging } from './demand-paging.ts';

export const manifest = defineManifest({
  id: 'mm-demand-paging',
  slot: 'mm',
  version: '1.0.0',
  summary: 'Pages are mapped at the first touch; young and dirty by faults; torn down at exit.',
  source: 'Linux arch/arm/mm/fault.c (do_page_fault), mm/memory.c (handle_pte_fault), mm/mmap.c (exit_mmap)',
  requires: ['frames', 'page-table', 'pgd', 'mmu-gather', 'shootdown', 'reclaim', 'asid'],
  config: z.strictObject({
    exit: z
      .enum(['teardown', 'keep'])
      .default('teardown')
      .describe('what becomes of an address space at the end'),
    reclaimPages: z
      .number()
      .int()
      .min(1)
      .default(32)
      .describe('pages a failed allocation asks for (SWAP_CLUSTER_MAX)'),
  }),
  create: (config, deps) =>
    demandPaging(config, {
      frames: deps.frames,
      pageTable: deps['page-table'],
      pgd: deps.pgd,
      gather: deps['mmu-gather'],
      shootdown: deps.shootdown,
      reclaim: deps.reclaim,
      asid: deps.asid,
    }),
});
