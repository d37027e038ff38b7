import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { COSTS, tableCost } from './table.ts';
import type { CostName, CostTable } from './table.ts';

const cycles = (name: CostName) => {
  const [cost, source] = COSTS[name];
  return z.number().min(0).default(cost).describe(`cycles; ${source}`);
};

const knobs = Object.fromEntries((Object.keys(COSTS) as CostName[]).map((name) => [name, cycles(name)]));

export const manifest = defineManifest({
  id: 'cost-table',
  slot: 'cost',
  version: '1.0.0',
  summary: 'Cycles from a table, relative, each with its source.',
  source: 'spec/tlb-and-shootdown.md 8; Cortex-A9 TRM DDI 0388I',
  requires: [],
  config: z.strictObject(knobs),
  // Every name of the table has a knob with a default, so what zod answers is a whole table.
  create: (config) => tableCost(config as CostTable),
});
