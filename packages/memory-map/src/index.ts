export { memoryMap, memoryMapConflict, PAGE_OFFSETS } from './memory-map.ts';
export type { MemoryMap, MemoryMapConfig, Region } from './memory-map.ts';
export { memoryMapConfig, memoryMapKnobs } from './knobs.ts';
export type { MemoryMapKnobs } from './knobs.ts';
