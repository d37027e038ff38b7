import { exploreBench } from './explore.ts';
import type { Figure } from './figure.ts';
import { historyBench } from './history.ts';
import { referencesBench } from './references.ts';
import { traceBench } from './trace/index.ts';

/** By name; `tablewalk bench NAME` runs one. */
export const benches: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  explore: exploreBench,
  history: historyBench,
  references: referencesBench,
  trace: traceBench,
};
