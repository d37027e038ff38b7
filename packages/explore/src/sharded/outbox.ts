import { present } from '@tablewalk/base';
import type { Row } from '../cells.ts';
import type { Written } from '../scratch.ts';
import type { Correspondence } from './correspondence.ts';
import type { Answer, Batch } from './messages.ts';

/** A state whose reduced set was taken, until it is known whether that led farther from the beginning. */
export interface Asker {
  readonly state: number;
  /** States of other shards of which that is not known yet. */
  open: number;
  fresh: boolean;
}

/** Written in place of a state: a row follows, from which the next states differ. */
export const BASE = -1;

/**
 * The states that one shard has for another, in batches, until they are answered. A batch is words: of a state how
 * many cells differ from the last base, its hash, and of each such cell its number and its value's number.
 */
export class Outbox {
  private words = new Int32Array(0);
  private used = 0;
  /** The state whose row is the last base of this batch; -1: none. */
  private base = -1;
  private askers: (Asker | undefined)[] = [];
  private asks = false;
  /** Who asked, by batch that is not answered. */
  private readonly unanswered: (readonly (Asker | undefined)[])[] = [];
  private readonly capacity: number;
  /** What one state takes at most: a base, and changes of every cell. */
  private readonly largest: number;

  constructor(
    private readonly correspondence: Correspondence,
    cells: number,
    batchWords: number,
  ) {
    this.largest = 1 + cells + 2 + 2 * cells;
    this.capacity = Math.max(batchWords, this.largest);
  }

  get isFull(): boolean {
    return this.used + this.largest > this.capacity;
  }
  get isEmpty(): boolean {
    return this.used === 0;
  }

  /** A state by the step that leads to it; `row` is the state that the step was taken from, number `from`. */
  putStep(row: Row, from: number, { cells, numbers }: Written, hash: number, asker?: Asker): void {
    if (this.base !== from) this.putBase(row);
    this.base = from;
    this.begin(cells.length, hash, asker);
    for (let i = 0; i < cells.length; i++) this.putCell(cells[i] as number, numbers[i] as number);
  }

  put(row: Row, hash: number, asker?: Asker): void {
    this.putBase(row);
    this.base = -1;
    this.begin(0, hash, asker);
  }

  seal(depth: number): Batch {
    const { words, used, asks, askers } = this;
    const batch: Batch = {
      kind: 'batch',
      depth,
      states: askers.length,
      meanings: this.correspondence.takeMeanings(),
      words: words.slice(0, used),
      asks,
    };
    this.unanswered.push(askers);
    this.askers = [];
    this.asks = false;
    this.used = 0;
    this.base = -1;
    return batch;
  }

  /** Answers those whose last question this was. */
  answered({ farther }: Answer): Asker[] {
    const askers = present(this.unanswered.shift(), 'a batch that is answered');
    const settled: Asker[] = [];
    if (farther === undefined) return settled;
    askers.forEach((asker, i) => {
      if (asker === undefined) return;
      if (farther[i] === 1) asker.fresh = true;
      asker.open -= 1;
      if (asker.open === 0) settled.push(asker);
    });
    return settled;
  }

  private begin(changes: number, hash: number, asker: Asker | undefined): void {
    this.words[this.used++] = changes;
    this.words[this.used++] = hash;
    this.askers.push(asker);
    if (asker === undefined) return;
    asker.open += 1;
    this.asks = true;
  }

  private putBase(row: Row): void {
    if (this.words.length === 0) this.words = new Int32Array(this.capacity);
    this.words[this.used++] = BASE;
    this.words.set(row, this.used);
    this.used += row.length;
    for (let cell = 0; cell < row.length; cell++) this.correspondence.note(cell, row[cell] as number);
  }

  private putCell(cell: number, number: number): void {
    this.words[this.used++] = cell;
    this.words[this.used++] = number;
    this.correspondence.note(cell, number);
  }
}
