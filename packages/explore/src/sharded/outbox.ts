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

/**
 * The states that one shard has for another, in batches, until they are answered. A batch is words. Of a state: how
 * many cells differ from the base, its hash, and of each such cell its number and its value's number. Where the
 * base changes, -1 less the number of cells that do, and these; at first all of them.
 */
export class Outbox {
  private words = new Int32Array(0);
  private used = 0;
  private states = 0;
  /** The row from which states differ, and the state that has it; -1: none that was expanded. */
  private readonly base: Int32Array;
  private baseState = -1;
  /** Who asks, with the place of what they ask of. */
  private asking: Asking[] = [];
  /** The same, by batch that is not answered. */
  private readonly unanswered: (readonly Asking[])[] = [];
  private readonly capacity: number;
  /** What one state takes at most: another base, and changes of every cell. */
  private readonly largest: number;

  constructor(
    private readonly correspondence: Correspondence,
    cells: number,
    batchWords: number,
  ) {
    this.base = new Int32Array(cells);
    this.largest = 1 + 2 * cells + 2 + 2 * cells;
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
    if (this.baseState !== from) this.putBase(row, from);
    this.begin(cells.length, hash, asker);
    for (let i = 0; i < cells.length; i++) this.putCell(cells[i] as number, numbers[i] as number);
  }

  put(row: Row, hash: number, asker?: Asker): void {
    this.putBase(row, -1);
    this.begin(0, hash, asker);
  }

  seal(depth: number): Batch {
    const { words, used, states, asking } = this;
    const batch: Batch = {
      kind: 'batch',
      depth,
      states,
      meanings: this.correspondence.takeMeanings(),
      words: words.slice(0, used),
      asks: asking.length > 0,
    };
    this.unanswered.push(asking);
    this.asking = [];
    this.states = 0;
    this.used = 0;
    this.baseState = -1;
    return batch;
  }

  /** Answers those whose last question this was. */
  answered({ farther }: Answer): Asker[] {
    const settled: Asker[] = [];
    for (const { asker, place } of present(this.unanswered.shift(), 'a batch that is answered')) {
      if (farther?.[place] === 1) asker.fresh = true;
      asker.open -= 1;
      if (asker.open === 0) settled.push(asker);
    }
    return settled;
  }

  private begin(changes: number, hash: number, asker: Asker | undefined): void {
    this.words[this.used++] = changes;
    this.words[this.used++] = hash;
    if (asker !== undefined) {
      asker.open += 1;
      this.asking.push({ asker, place: this.states });
    }
    this.states += 1;
  }

  private putBase(row: Row, state: number): void {
    const { base, used } = this;
    if (this.words.length === 0) this.words = new Int32Array(this.capacity);
    // A batch stands alone: the first base of one is told whole.
    if (used === 0) base.fill(-1);
    this.used += 1;
    for (let cell = 0; cell < row.length; cell++) {
      const number = row[cell] as number;
      if (number === base[cell]) continue;
      base[cell] = number;
      this.putCell(cell, number);
    }
    this.words[used] = -1 - (this.used - used - 1) / 2;
    this.baseState = state;
  }

  private putCell(cell: number, number: number): void {
    this.words[this.used++] = cell;
    this.words[this.used++] = number;
    this.correspondence.note(cell, number);
  }
}

interface Asking {
  readonly asker: Asker;
  readonly place: number;
}
