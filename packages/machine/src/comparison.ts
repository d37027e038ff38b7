import type { RecordedFact, Stimulus } from '@tablewalk/contracts';
import { firstDifferentField } from '@tablewalk/history';
import type { Recorder } from './journal.ts';

/** Where a rerun first went another way. */
export interface Divergence {
  readonly seq: number;
  /** The first field that differs: of the fact, or of what the recorder added. */
  readonly field: string;
  readonly recorded: RecordedFact | undefined;
  readonly decided: RecordedFact;
}

/**
 * Holds what a machine decides against what was recorded: a recorder that writes nothing. Facts beyond
 * the end of the recording are not compared (a history may have been cut short).
 */
export class Comparison implements Recorder {
  divergence: Divergence | undefined;
  compared = 0;

  constructor(private readonly recorded: Iterator<RecordedFact>) {}

  stimulus(_stimulus: Stimulus): void {}

  fact(decided: RecordedFact): void {
    if (this.divergence !== undefined) return;
    const { done, value } = this.recorded.next();
    if (done === true) return;
    this.compared += 1;
    const field = firstDifference(value, decided);
    if (field !== undefined) this.divergence = { seq: decided.seq, field, recorded: value, decided };
  }
}

function firstDifference(a: RecordedFact, b: RecordedFact): string | undefined {
  return firstDifferentField(a.fact, b.fact) ?? METADATA.find((field) => a[field] !== b[field]);
}
const METADATA = ['seq', 'by', 'cpu', 'time', 'stimulus'] as const;
