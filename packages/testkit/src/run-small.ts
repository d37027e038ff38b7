import { assert } from '@tablewalk/base';
import { accessBatch } from '@tablewalk/contracts';
import type { AccessBatch, RecordedFact } from '@tablewalk/contracts';
import type { BuiltMachine } from '@tablewalk/compose';
import type { Machine, Recorder, RunLimits, RunStatus } from '@tablewalk/machine';

/** References by process; process i + 1 gets the i-th list. */
export type Work = readonly (readonly AccessBatch[])[];
export type EndStatus = Exclude<RunStatus, { kind: 'needs-batch' } | { kind: 'needs-choice' }>;

export function offerProcesses(machine: Machine, work: Work): void {
  work.forEach((_, i) => {
    machine.offer({ kind: 'process', mm: i + 1, name: `process ${i + 1}` });
  });
}

/** Runs a machine over its work until it ends or a limit is reached; a limit leaves it ready to go on. */
export function runOn(
  machine: Machine,
  work: Work,
  fed: number[],
  script: readonly number[],
  limits: RunLimits = {},
): EndStatus {
  for (;;) {
    const status = machine.run({ runThroughViolations: true, ...limits });
    if (status.kind === 'needs-batch') {
      const index = fed[status.mm - 1] ?? 0;
      fed[status.mm - 1] = index + 1;
      machine.offer({ kind: 'batch', mm: status.mm, index, batch: work[status.mm - 1]?.[index] ?? NO_MORE });
    } else if (status.kind === 'needs-choice') {
      const asked = (fed[work.length] = (fed[work.length] ?? 0) + 1) - 1;
      machine.offer({ kind: 'choice', taken: script[asked] ?? 0, of: status.enabled.length });
    } else return status;
  }
}
const NO_MORE = accessBatch(0);

/** Keeps all facts in a list. */
export class FactList implements Recorder {
  readonly facts: RecordedFact[] = [];
  stimulus(): void {}
  fact(recorded: RecordedFact): void {
    this.facts.push(recorded);
  }
}

export interface SmallRun {
  readonly facts: readonly RecordedFact[];
  readonly status: EndStatus;
  readonly machine: Machine;
}

/** No small run needs so many. */
const FACTS_MAX = 200_000;

/** One run from nothing to its end. */
export function runSmall(
  built: BuiltMachine,
  work: Work,
  folding: 'direct' | 'immutable' = 'direct',
): SmallRun {
  const recorder = new FactList();
  const machine = built.start({ recorder, folding });
  offerProcesses(machine, work);
  const status = runOn(machine, work, [], built.script, { untilFact: FACTS_MAX });
  assert(status.kind !== 'paused', `a small run went on for ${FACTS_MAX} facts: it goes in circles`);
  machine.close();
  return { facts: recorder.facts, status, machine };
}
