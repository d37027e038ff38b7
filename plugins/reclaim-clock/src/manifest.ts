import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { clockReclaim } from './clock.ts';

export const manifest = defineManifest({
  id: 'reclaim-clock',
  slot: 'reclaim',
  version: '1.0.0',
  summary: 'Second chance over all frames, with the young bit that ARM Linux keeps in software.',
  source:
    'Corbató, A Paging Experiment with the Multics System, 1968; Linux mm/vmscan.c for the order of locks',
  requires: ['frames', 'page-table', 'mmu-gather'],
  config: z.strictObject({}),
  create: (_config, deps) => clockReclaim(deps.frames, deps['page-table'], deps['mmu-gather']),
});
