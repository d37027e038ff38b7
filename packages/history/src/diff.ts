import type { Fact, RecordedFact } from '@tablewalk/contracts';
import { recordedAt } from './columns.ts';
import type { FactBlock } from './columns.ts';
import type { History } from './reader.ts';

/** The first place where two histories part. */
export interface HistoryDifference {
  readonly seq: number;
  /**
   * The first differing field: of the fact (`type` first), or of its metadata. `end` when one history
   * has no more facts; then `a` and `b` say which of them goes on.
   */
  readonly field: string;
  readonly a: unknown;
  readonly b: unknown;
  /** Both facts with their metadata; undefined for the history that has ended. */
  readonly facts: readonly [a: RecordedFact | undefined, b: RecordedFact | undefined];
}

export interface HistoryDiff {
  readonly factCount: readonly [a: number, b: number];
  /** The first difference of what happened. */
  readonly first: HistoryDifference | undefined;
  /** The first difference of who did it, on which CPU, when, and after which stimulus. */
  readonly firstMetadata: HistoryDifference | undefined;
  /** How many facts of each type both have, by name. */
  readonly counts: ReadonlyMap<string, readonly [a: number, b: number]>;
}

/** Compares fact by fact; one block of each history is in memory. */
export function diffHistories(a: History, b: History): HistoryDiff {
  const counts = new Map<string, [number, number]>();
  const [left, right] = [new Cursor(a), new Cursor(b)];
  let first: HistoryDifference | undefined;
  let firstMetadata: HistoryDifference | undefined;
  for (let seq = 0; seq < a.factCount || seq < b.factCount; seq++) {
    const [hasLeft, hasRight] = [left.advance(), right.advance()];
    if (hasLeft) countsOf(counts, left.fact.type)[0] += 1;
    if (hasRight) countsOf(counts, right.fact.type)[1] += 1;
    if (first !== undefined && firstMetadata !== undefined) continue;
    const field = hasLeft && hasRight ? firstDifferentField(left.fact, right.fact) : 'end';
    if (first === undefined && field !== undefined) {
      const ofEnd = field === 'end';
      first = {
        seq,
        field,
        a: ofEnd ? hasLeft : valueOf(left.fact, field),
        b: ofEnd ? hasRight : valueOf(right.fact, field),
        facts: [hasLeft ? left.recorded : undefined, hasRight ? right.recorded : undefined],
      };
    }
    if (firstMetadata === undefined && hasLeft && hasRight)
      firstMetadata = metadataDifference(left, right, seq);
  }
  const sorted = new Map([...counts].sort(([x], [y]) => (x < y ? -1 : 1)));
  return { factCount: [a.factCount, b.factCount], first, firstMetadata, counts: sorted };
}

/** Goes through a history fact by fact without making an object for each. */
class Cursor {
  private block: FactBlock | undefined;
  private index = 0;
  private nextBlock = 0;

  constructor(private readonly history: History) {}

  /** False when there is no further fact. */
  advance(): boolean {
    this.index += 1;
    if (this.block !== undefined && this.index < this.block.count) return true;
    if (this.nextBlock >= this.history.blockCount) return false;
    this.block = this.history.readBlock(this.nextBlock++);
    this.index = 0;
    return true;
  }

  get fact(): Fact {
    return (this.block as FactBlock).facts[this.index] as Fact;
  }

  get recorded(): RecordedFact {
    return recordedAt(this.block as FactBlock, this.index);
  }

  metadata(field: (typeof METADATA)[number]): string | number {
    return (this.block as FactBlock)[field][this.index] as string | number;
  }
}

const METADATA = ['by', 'cpu', 'time', 'stimulus'] as const;

function metadataDifference(left: Cursor, right: Cursor, seq: number): HistoryDifference | undefined {
  for (const field of METADATA) {
    const [a, b] = [left.metadata(field), right.metadata(field)];
    if (a !== b) return { seq, field, a, b, facts: [left.recorded, right.recorded] };
  }
  return undefined;
}

function countsOf(counts: Map<string, [number, number]>, type: string): [number, number] {
  let pair = counts.get(type);
  if (pair === undefined) counts.set(type, (pair = [0, 0]));
  return pair;
}

const valueOf = (fact: Fact, field: string): unknown => (fact as unknown as Record<string, unknown>)[field];

/** The first field, in the order of `a`'s schema, in which two facts differ. `type` comes first. */
export function firstDifferentField(a: Fact, b: Fact): string | undefined {
  if (a.type !== b.type) return 'type';
  for (const field in a) if (!sameValue(valueOf(a, field), valueOf(b, field))) return field;
  for (const field in b) if (!(field in a)) return field;
  return undefined;
}

function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  return a.every((item, i) => item === b[i]);
}
