export { pkmap, pkmapKnobs } from './pkmap.ts';
export type { PkmapConfig } from './pkmap.ts';
export { pkmapKey } from './pkmap-table.ts';
export type { PkmapState } from './pkmap-table.ts';
