import { inAtomicSection, ofType, reportViolation } from '@tablewalk/contracts';
import type {
  CheckerPlugin,
  Component,
  KernelFactOf,
  RecordedFact,
  ReportViolation,
  Violation,
} from '@tablewalk/contracts';
import { filter, map } from 'rxjs';

/**
 * "BUG: scheduling while atomic" (kernel/sched.c, schedule_debug): a task goes to sleep with preemption disabled, a
 * spinlock held, or IRQs off. To be on a wait queue in such a section is allowed, as kmap_high is under kmap_lock.
 */
export const ID = 'checker-sleep-in-atomic';

type Slept = KernelFactOf<'TaskSlept'>;

const component: Component<Record<string, never>, ReportViolation, Violation> = {
  evolvesOn: [],
  initial: () => ({}),
  decide: ({ violation }) => [violation],
  evolve() {},
  react: (facts$, view) =>
    facts$.pipe(
      ofType<Slept>('TaskSlept'),
      filter(({ fact: { cpu, task } }) => inAtomicSection(view, cpu, task)),
      map((recorded) => report(recorded, recorded.fact)),
    ),
};

const report = ({ seq }: RecordedFact, { cpu }: Slept): ReportViolation =>
  reportViolation(ID, {
    rule: 'a task sleeps in an atomic section',
    cpu,
    culprit: seq,
    evidence: seq,
    va: 0,
    pfn: 0,
  });

export const sleepInAtomic: CheckerPlugin = { component };
