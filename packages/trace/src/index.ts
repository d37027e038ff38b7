export { BatchRunner } from './batch-runner.ts';
export { LackeyReader } from './lackey.ts';
export type { LackeyOptions } from './lackey.ts';
export { PhysicalWords } from './physical-words.ts';
export { Rebase, REBASE_CEILING } from './rebase.ts';
export type { RebaseMove, RebaseSummary } from './rebase.ts';
