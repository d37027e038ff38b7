import type { SchedulerPlugin } from '@tablewalk/contracts';

/**
 * Every choice comes from outside and is recorded: from the script (indices into what is enabled, in
 * the order of interrupt before step, lower CPU before higher), and after its end always the first.
 */
export function scriptedScheduler(script: readonly number[], references: number): SchedulerPlugin {
  return { choose: () => undefined, budget: () => references, script };
}
