import type { Row } from '../cells.ts';
import type { Correspondence } from './correspondence.ts';
import type { Batch } from './messages.ts';
import { BASE } from './outbox.ts';

/** Who is given the states of a batch, in numbers of ours. Rows are written over by what comes next. */
export interface Reader {
  /** The next states differ from this row in the cells that are said to have changed. */
  base(row: Row): void;
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
    this.correspondence.hear(meanings);
    for (let at = 0; at < words.length;) {
      const changes = words[at++] as number;
      at = changes === BASE ? this.readBase(words, at, reader) : this.readState(words, at, changes, reader);
    }
  }

  private readBase(words: Int32Array, at: number, reader: Reader): number {
    const { row, correspondence } = this;
    for (let cell = 0; cell < row.length; cell++) row[cell] = correspondence.own(cell, words[at++] as number);
    reader.base(row);
    return at;
  }

  private readState(words: Int32Array, at: number, changes: number, reader: Reader): number {
    const { row, before, correspondence } = this;
    const changed = this.changed[changes] as number[];
    const hash = words[at++] as number;
    for (let i = 0; i < changes; i++) {
      const cell = words[at++] as number;
      changed[i] = cell;
      before[i] = row[cell] as number;
      row[cell] = correspondence.own(cell, words[at++] as number);
    }
    reader.state(row, hash, changed);
    for (let i = 0; i < changes; i++) row[changed[i] as number] = before[i] as number;
    return at;
  }
}
