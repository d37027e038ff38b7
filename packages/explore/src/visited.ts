import type { Row } from './cells.ts';

type Column = Uint8Array | Uint16Array | Int32Array;
const WIDTHS = [256, 65536, 2 ** 31] as const;

/**
 * The states that were seen, exactly, in the order in which they were added, each with the one it came from and the
 * mover that took the step. A cell that never changed takes no room; the others take a byte, two or four, as the
 * numbers need.
 */
export class Visited {
  count = 0;
  /** Cells that have a column: those that differed from the initial row once. */
  private readonly stored: number[] = [];
  private readonly columnOf: Int32Array;
  private readonly every: readonly number[];
  private width = 0;
  private rows: Column = new Uint8Array(0);
  private from = new Int32Array(1024);
  private by = new Uint16Array(1024);
  private hashes = new Int32Array(1024);
  /** Open addressing by hash: hash and number (from 1) of a state side by side. */
  private table = new Int32Array(2 * 2048);

  constructor(private readonly initial: Row) {
    this.columnOf = new Int32Array(initial.length).fill(-1);
    this.every = [...initial.keys()];
    this.rows = this.makeRows(1024);
  }

  /**
   * Adds a state, whose hash is known; answers its number, and a negative one (`-1 - number`) when it was there.
   * `changed`: the cells in which it differs from a state that is stored, or has room; absent: any.
   */
  add(row: Row, hash: number, from: number, by: number, changed?: readonly number[]): number {
    this.makeRoom(row, changed);
    const { table } = this;
    const mask = table.length - 1;
    let slot = slotOf(hash, mask);
    for (let entry = table[slot + 1] as number; entry !== 0; entry = table[slot + 1] as number) {
      if (table[slot] === hash && this.equals(entry - 1, row)) return -entry;
      slot = (slot + 2) & mask;
    }
    const state = this.count++;
    if (state === this.from.length) this.grow();
    this.store(state, row);
    this.from[state] = from;
    this.by[state] = by;
    this.hashes[state] = hash;
    if (this.count * 4 > table.length) this.rehash();
    else {
      table[slot] = hash;
      table[slot + 1] = state + 1;
    }
    return state;
  }

  /** Makes room for the values of a row, which itself need not come. */
  makeRoom(row: Row, changed = this.every): void {
    if (this.crowded(row, changed)) this.widen(row);
  }

  /** Copies a state into a row. */
  read(state: number, row: Row): void {
    row.set(this.initial);
    const { stored, rows } = this;
    const base = state * stored.length;
    for (let column = 0; column < stored.length; column++)
      row[stored[column] as number] = rows[base + column] as number;
  }

  hashOf(state: number): number {
    return this.hashes[state] as number;
  }
  fromOf(state: number): number {
    return this.from[state] as number;
  }

  /** The movers that lead from the initial state to this one. */
  path(state: number): number[] {
    const movers: number[] = [];
    for (let at = state; (this.from[at] as number) >= 0; at = this.from[at] as number)
      movers.push(this.by[at] as number);
    return movers.reverse();
  }

  /** Bytes for each state: its columns, where it came from, its hash, and its share of a table that is half full. */
  get bytesPerState(): number {
    return this.stored.length * this.rows.BYTES_PER_ELEMENT + 4 + 2 + 4 + 16;
  }

  private equals(state: number, row: Row): boolean {
    const { stored, rows } = this;
    const base = state * stored.length;
    for (let column = 0; column < stored.length; column++)
      if (rows[base + column] !== row[stored[column] as number]) return false;
    return true;
  }

  private store(state: number, row: Row): void {
    const { stored, rows } = this;
    const base = state * stored.length;
    for (let column = 0; column < stored.length; column++)
      rows[base + column] = row[stored[column] as number] as number;
  }

  /** Has the row a value in a cell without a column, or a number too large for its width? */
  private crowded(row: Row, cells: readonly number[]): boolean {
    const limit = WIDTHS[this.width] as number;
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i] as number;
      const number = row[cell] as number;
      if ((this.columnOf[cell] as number) < 0 ? number !== this.initial[cell] : number >= limit) return true;
    }
    return false;
  }

  private widen(row: Row): void {
    const old = { stored: [...this.stored], rows: this.rows };
    for (let cell = 0; cell < row.length; cell++) {
      if ((this.columnOf[cell] as number) < 0 && row[cell] !== this.initial[cell]) {
        this.columnOf[cell] = this.stored.length;
        this.stored.push(cell);
      }
      if ((this.columnOf[cell] as number) >= 0) {
        const largest = Math.max(row[cell] as number, this.initial[cell] as number);
        while (largest >= (WIDTHS[this.width] as number)) this.width += 1;
      }
    }
    this.rows = this.makeRows(this.from.length);
    const columns = this.stored.length;
    for (let state = 0; state < this.count; state++)
      for (let column = 0; column < columns; column++)
        this.rows[state * columns + column] =
          column < old.stored.length
            ? (old.rows[state * old.stored.length + column] as number)
            : (this.initial[this.stored[column] as number] as number);
  }

  private makeRows(states: number): Column {
    const length = states * Math.max(1, this.stored.length);
    return this.width === 0
      ? new Uint8Array(length)
      : this.width === 1
        ? new Uint16Array(length)
        : new Int32Array(length);
  }

  private grow(): void {
    const states = this.from.length * 2;
    const rows = this.makeRows(states);
    rows.set(this.rows as never);
    this.rows = rows;
    this.from = grown(this.from, new Int32Array(states));
    this.by = grown(this.by, new Uint16Array(states));
    this.hashes = grown(this.hashes, new Int32Array(states));
  }

  private rehash(): void {
    this.table = new Int32Array(this.table.length * 2);
    const mask = this.table.length - 1;
    for (let state = 0; state < this.count; state++) {
      const hash = this.hashes[state] as number;
      let slot = slotOf(hash, mask);
      while (this.table[slot + 1] !== 0) slot = (slot + 2) & mask;
      this.table[slot] = hash;
      this.table[slot + 1] = state + 1;
    }
  }
}

/** Where a hash belongs: slots are pairs. */
const slotOf = (hash: number, mask: number): number => (hash << 1) & mask;

function grown<T extends Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}
