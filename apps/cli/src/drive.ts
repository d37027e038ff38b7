import { accessBatch } from '@tablewalk/contracts';
import type { Measure } from '@tablewalk/contracts';
import type { Machine, RunLimits, RunStatus } from '@tablewalk/machine';
import type { BatchSource } from './trace-file.ts';

/** A process to be: where its references come from. */
export interface Workload {
  readonly name: string;
  readonly source: BatchSource;
}

/** How a run ended: the machine asks for nothing more, or what was to be measured has been. */
export type EndStatus =
  Exclude<RunStatus, { kind: 'needs-batch' } | { kind: 'needs-choice' }> | { readonly kind: 'measured' };

export interface DriveOptions extends RunLimits {
  /** Answers of a scripted scheduler. */
  readonly script?: readonly number[];
  /** Batches of each workload, and choices, that the machine has had already. */
  readonly had?: { readonly batches: readonly number[]; readonly choices: number };
  /** Called before each batch is offered. */
  readonly onBatch?: () => void;
  /** Places in the measured run, in their order (see region.ts). */
  readonly measures?: Iterable<Measure>;
  /** Called at each of them. */
  readonly onMeasure?: (measure: Measure) => void;
}

/** Processes get mm 1, 2, ... in the order in which they are given. */
export function createProcesses(machine: Machine, workloads: readonly Workload[]): void {
  workloads.forEach(({ name }, i) => {
    machine.offer({ kind: 'process', mm: i + 1, name });
  });
}

/** Runs the machine, feeding it from the workloads, until it ends or a limit is reached. */
export async function drive(
  machine: Machine,
  workloads: readonly Workload[],
  options: DriveOptions = {},
): Promise<EndStatus> {
  const batches = workloads.map((_, i) => options.had?.batches[i] ?? 0);
  const places = (options.measures ?? [])[Symbol.iterator]();
  const nextPlace = (): Measure | undefined => {
    const { done, value } = places.next();
    return done === true ? undefined : value;
  };
  let place = nextPlace();
  let choices = options.had?.choices ?? 0;
  for (;;) {
    const status = machine.run({ ...options, untilReferences: place?.references ?? Infinity });
    if (status.kind === 'needs-batch') {
      options.onBatch?.();
      const batch = await workloads[status.mm - 1]?.source.next();
      const index = (batches[status.mm - 1] = (batches[status.mm - 1] ?? 0) + 1) - 1;
      machine.offer({ kind: 'batch', mm: status.mm, index, batch: batch ?? NO_MORE });
    } else if (status.kind === 'needs-choice') {
      const taken = options.script?.[choices] ?? 0;
      choices += 1;
      machine.offer({ kind: 'choice', taken, of: status.enabled.length });
    } else if (status.kind === 'paused' && place?.references === machine.references) {
      machine.offer(place);
      options.onMeasure?.(place);
      if (place.what === 'end') return { kind: 'measured' };
      place = nextPlace();
    } else return status;
  }
}

const NO_MORE = accessBatch(0);
