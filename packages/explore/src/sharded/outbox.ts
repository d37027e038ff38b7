import { present } from '@tablewalk/base';
import type { Row } from '../cells.ts';
import type { Correspondence } from './correspondence.ts';
import type { Answer, Batch } from './messages.ts';

/** A state whose reduced set was taken, until it is known whether that led farther from the beginning. */
export interface Asker {
  readonly state: number;
  /** States of other shards of which that is not known yet. */
  open: number;
  fresh: boolean;
}

/** The states that one shard has for another, in batches, until they are answered. */
export class Outbox {
  private rows: Int32Array;
  private states = 0;
  private askers: (Asker | undefined)[] = [];
  private asks = false;
  /** Who asked, by batch that is not answered. */
  private readonly unanswered: (readonly (Asker | undefined)[])[] = [];

  constructor(
    private readonly correspondence: Correspondence,
    private readonly cells: number,
    private readonly batchStates: number,
  ) {
    this.rows = new Int32Array(0);
  }

  /** Batches that were sent and are not answered. */
  get open(): number {
    return this.unanswered.length;
  }
  get isFull(): boolean {
    return this.states === this.batchStates;
  }
  get isEmpty(): boolean {
    return this.states === 0;
  }

  put(row: Row, hash: number, asker: Asker | undefined): void {
    const { cells, batchStates } = this;
    if (this.states === 0) this.rows = new Int32Array(batchStates * (cells + 1));
    const from = this.states * (cells + 1);
    this.rows[from] = hash;
    this.rows.set(row, from + 1);
    this.correspondence.note(row);
    this.askers.push(asker);
    if (asker !== undefined) {
      asker.open += 1;
      this.asks = true;
    }
    this.states += 1;
  }

  seal(depth: number): Batch {
    const { states, asks, askers, cells, rows } = this;
    const meanings = this.correspondence.take();
    this.unanswered.push(askers);
    this.askers = [];
    this.asks = false;
    this.states = 0;
    const used = this.batchStates === states ? rows : rows.slice(0, states * (cells + 1));
    return { kind: 'batch', depth, states, meanings, rows: used, asks };
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
}
