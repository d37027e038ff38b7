export { copyWorld, Fold, viewOf, worldDigest } from './fold.ts';
export type { NamedComponent, World } from './fold.ts';
export { Journal } from './journal.ts';
export type { Recorder } from './journal.ts';
export { kernelComponents } from './kernel-components.ts';
export { Machine } from './machine.ts';
export type { MachineOptions, MachineParts, RunLimits, RunStatus, Standstill } from './machine.ts';
export { compareDigests } from './digest.ts';
export type { DigestVerdict } from './digest.ts';
export { Comparison } from './comparison.ts';
export type { Divergence } from './comparison.ts';
export { statisticsKey } from './statistics.ts';
export type { CpuStatistics, StatisticsState } from './statistics.ts';
export { LiveThread, revive } from './thread.ts';
export { contextOf } from './threads.ts';
export {
  actionEnabled,
  actionsOf,
  handlerEnabled,
  holdsCpu,
  ipiEnabled,
  stuckRule,
  taskEnabled,
} from './play.ts';
export type { Never, Play, PlayTask, SceneStep, Standing } from './play.ts';
export { deliverIpi, stepThread } from './stepping.ts';
export type { Stage } from './stepping.ts';
