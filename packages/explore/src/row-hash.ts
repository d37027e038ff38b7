import type { Row } from './cells.ts';

/**
 * A word for each value of each cell; a row's hash is the xor of its cells' (Zobrist, 1970). The words come from
 * what the values are, not from their numbers, so that every process hashes a state alike.
 */
export class RowHash {
  private readonly words: number[][];

  constructor(
    cells: number,
    private readonly wordOf: (cell: number, number: number) => number,
  ) {
    this.words = Array.from({ length: cells }, () => []);
  }

  of(cell: number, number: number): number {
    const words = this.words[cell] as number[];
    while (words.length <= number) words.push(this.wordOf(cell, words.length));
    return words[number] as number;
  }

  row(row: Row): number {
    let hash = 0;
    for (let cell = 0; cell < row.length; cell++) hash ^= this.of(cell, row[cell] as number);
    return hash;
  }
}
