import { cpusKey, locksKey, ofType, tasksKey } from '@tablewalk/contracts';
import type {
  CheckerPlugin,
  Command,
  Component,
  KernelFactOf,
  RecordedFact,
  View,
} from '@tablewalk/contracts';
import { filter, map, merge } from 'rxjs';

/**
 * "BUG: scheduling while atomic" (kernel/sched.c, schedule_debug): a task goes to sleep in a section that must
 * not. With preempt_count raised it is told of when the task goes to sleep. A spinlock may be held, and IRQs may
 * be off, while a task puts itself on a wait queue, as kmap_high does; so for these it is told of when another
 * task has come to run and they are still so.
 *
 * The limit: who sleeps with a spinlock, on a CPU that has no other task to run, is not found.
 */
export const ID = 'checker-sleep-in-atomic';

type Slept = KernelFactOf<'TaskSlept'>;
type Switched = KernelFactOf<'TaskSwitched'>;
type Violation = KernelFactOf<'PropertyViolated'>;
interface Report extends Command {
  readonly violation: Violation;
}

const component: Component<Record<string, never>, Report, Violation> = {
  evolvesOn: [],
  initial: () => ({}),
  decide: ({ violation }) => [violation],
  evolve() {},
  react: (facts$, view) =>
    merge(
      facts$.pipe(
        ofType<Slept>('TaskSlept'),
        filter(({ fact }) => atomic(view, fact)),
      ),
      facts$.pipe(
        ofType<Switched>('TaskSwitched'),
        filter(({ fact }) => leftBehind(view, fact)),
      ),
    ).pipe(map((recorded) => report(recorded, recorded.fact))),
};

const atomic = (view: View, { task }: Slept): boolean => (view(tasksKey)[task]?.preemptCount ?? 0) > 0;

/** Did somebody who sleeps take a spinlock, or IRQs off, away from the task that has just come to run? */
function leftBehind(view: View, { cpu, task }: Switched): boolean {
  const sleepers = view(tasksKey).some(
    (other, number) => number !== task && other.cpu === cpu && other.asleep !== '',
  );
  if (!sleepers) return false;
  if ((view(cpusKey)[cpu]?.irqsOff ?? 0) > 0) return true;
  return Object.values(view(locksKey)).includes(cpu);
}

const report = ({ seq }: RecordedFact, { cpu }: Slept | Switched): Report => ({
  to: ID,
  type: 'ReportViolation',
  violation: {
    type: 'PropertyViolated',
    checker: ID,
    rule: 'a task sleeps in an atomic section',
    cpu,
    culprit: seq,
    evidence: seq,
    va: 0,
    pfn: 0,
  },
});

export const sleepInAtomic: CheckerPlugin = { component };
