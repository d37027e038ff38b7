import type { RecordedFact, Stimulus } from '@tablewalk/contracts';
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
  if (a.fact.type !== b.fact.type) return 'type';
  const [factA, factB] = [a.fact, b.fact] as unknown as [Fields, Fields];
  for (const field of Object.keys(factA)) if (!same(factA[field], factB[field])) return field;
  for (const field of ['seq', 'by', 'cpu', 'time', 'stimulus'] as const) if (a[field] !== b[field]) return field;
  return undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function same(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
