export type * from './result.ts';
export { explore, spaceOf } from './explore.ts';
export type { Explorable } from './explore.ts';
export { playSchedule } from './witness.ts';
export type { Played } from './witness.ts';
export { decodeSchedule, encodeSchedule } from './schedule-text.ts';
export { mutantsOf, mutate } from './mutation.ts';
export type { Mutant, MutantVerdict } from './mutation.ts';
