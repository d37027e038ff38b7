import type { SchedulerPlugin } from '@tablewalk/contracts';

/** Any of what is enabled, each as likely as the other, drawn from the run's seed; turns of random length too. */
export function randomScheduler(references: number): SchedulerPlugin {
  return {
    choose: (enabled, { below }) => below(enabled.length),
    budget: (_chosen, _enabled, { below }) => 1 + below(references),
  };
}
