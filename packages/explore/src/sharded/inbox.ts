import type { Row } from '../cells.ts';
import type { Correspondence } from './correspondence.ts';
import type { Batch } from './messages.ts';

/** Who is given the states of a batch, in numbers of ours. What they are given is written over by what comes next. */
export interface Reader {
  /** Another row from which the next states differ, and where it differs from the last one. */
  base(row: Row, changed: readonly number[]): void;
  /** A state, and where it differs from the base. */
  state(row: Row, hash: number, changed: readonly number[]): void;
}

/** Reads what another shard's outbox wrote. */
export class Inbox {
  private readonly row: Row;
  /** A list for each length: they are filled again and again. */
  private readonly changed: readonly number[][];
  private readonly before: number[] = [];

  constructor(
    private readonly correspondence: Correspondence,
    cells: number,
  ) {
    this.row = new Int32Array(cells);
    this.changed = Array.from({ length: cells + 1 }, (_, length) => new Array<number>(length).fill(0));
  }

  read({ meanings, words }: Batch, reader: Reader): void {
    const { row, before } = this;
    this.correspondence.hear(meanings);
    for (let at = 0; at < words.length;) {
      const head = words[at++] as number;
      if (head < 0) {
        const changed = this.change(words, at, -1 - head);
        at += 2 * changed.length;
        reader.base(row, changed);
        continue;
      }
      const changed = this.change(words, at + 1, head);
      reader.state(row, words[at] as number, changed);
      at += 1 + 2 * head;
      for (let i = 0; i < head; i++) row[changed[i] as number] = before[i] as number;
    }
  }

  private change(words: Int32Array, from: number, changes: number): readonly number[] {
    const { row, before, correspondence } = this;
    const changed = this.changed[changes] as number[];
    for (let i = 0; i < changes; i++) {
      const cell = words[from + 2 * i] as number;
      changed[i] = cell;
      before[i] = row[cell] as number;
      row[cell] = correspondence.own(cell, words[from + 2 * i + 1] as number);
    }
    return changed;
  }
}
