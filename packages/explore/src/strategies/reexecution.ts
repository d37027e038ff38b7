import type { KernelFactOf } from '@tablewalk/contracts';
import type { Machine } from '@tablewalk/machine';
import type { ExploreOptions } from '../result.ts';

export interface Reexecuted {
  readonly schedules: number;
  readonly transitions: number;
  readonly depth: number;
  readonly complete: boolean;
  readonly finals: number;
  readonly outcomes: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
  readonly found: { readonly rule: string; readonly schedule: readonly number[] } | undefined;
}

const MAX_SCHEDULES = 1_000_000;

/**
 * Every schedule, each from the beginning on the machine itself, as a model checker without states does it
 * (VeriSoft, CHESS). No memo, no merges, no visited states, no reduction: slow, and the judge of all that is faster.
 * A story whose schedules do not all end needs a depth limit.
 */
export function reexecution(
  start: () => Machine,
  outcomeOf: (machine: Machine) => string,
  { maxSchedules = MAX_SCHEDULES, maxDepth = Infinity, throughViolations = false }: ExploreOptions,
): Reexecuted {
  const outcomes = new Set<string>();
  const rules = new Set<string>();
  let transitions = 0;
  let depth = 0;
  let finals = 0;
  let cut = false;
  let found: Reexecuted['found'];
  const schedule: number[] = [];
  const widths: number[] = [];
  let schedules = 0;
  for (; schedules < maxSchedules; schedules++) {
    const machine = start();
    machine.run();
    machine.offer({ kind: 'choice', taken: 0, of: 1 });
    let status = machine.run({ runThroughViolations: throughViolations });
    let step = 0;
    while (status.kind === 'needs-choice' && step < maxDepth) {
      if (step === schedule.length) {
        schedule.push(0);
        widths.push(status.enabled.length);
      }
      machine.offer({ kind: 'choice', taken: schedule[step] as number, of: status.enabled.length });
      step += 1;
      transitions += 1;
      status = machine.run({ runThroughViolations: throughViolations });
    }
    depth = Math.max(depth, step);
    const { violation } = machine.journal;
    if (violation !== undefined) {
      const { rule } = violation.fact as KernelFactOf<'PropertyViolated'>;
      rules.add(rule);
      if (found === undefined || step < found.schedule.length)
        found = { rule, schedule: schedule.slice(0, step) };
    }
    if (status.kind === 'needs-choice') cut = true;
    else if (status.kind === 'finished' || throughViolations) {
      finals += 1;
      outcomes.add(outcomeOf(machine));
    }
    machine.close();
    schedule.length = widths.length = step;
    while (schedule.length > 0 && (schedule.at(-1) as number) + 1 >= (widths.at(-1) as number)) {
      schedule.pop();
      widths.pop();
    }
    if (schedule.length === 0) {
      schedules += 1;
      return { schedules, transitions, depth, complete: !cut, finals, outcomes, rules, found };
    }
    schedule[schedule.length - 1] = (schedule.at(-1) as number) + 1;
  }
  return { schedules, transitions, depth, complete: false, finals, outcomes, rules, found };
}
