import type { Alternative, SchedulerPlugin } from '@tablewalk/contracts';

/**
 * Every CPU in turn, one step each, without regard to time. A pending interrupt is taken at its CPU's
 * turn, before the step.
 */
export function roundRobinScheduler(references: number): SchedulerPlugin {
  return {
    choose(enabled, { lastCpu }) {
      // The enabled CPU that follows the last one, cyclically; its interrupt stands before its step.
      let first = -1;
      for (let i = 0; i < enabled.length; i++) {
        const { cpu } = enabled[i] as Alternative;
        if (cpu > lastCpu) return i;
        if (first < 0) first = i;
      }
      return first;
    },
    budget: () => references,
  };
}
