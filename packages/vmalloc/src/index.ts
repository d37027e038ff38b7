export { deviceMappings } from './device-mappings.ts';
export type { AdditionPolicy, SectionPolicy } from './device-mappings.ts';
export { vmallocKey } from './areas.ts';
export type { VmallocState, VmArea } from './areas.ts';
export { catchUp, incrementVmallocSeq, seqOf } from './vmalloc-seq.ts';
export type { CopyOrder } from './vmalloc-seq.ts';
export { vmallocDeps } from './deps.ts';
export type { VmallocDeps } from './deps.ts';
