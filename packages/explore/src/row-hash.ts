import { prngNext, prngSeed } from '@tablewalk/base';
import type { Row } from './cells.ts';

/** A number of each value of each cell, drawn once: a row's hash is the xor of its cells' (Zobrist, 1970). */
export class RowHash {
  private readonly draws: number[][];
  private readonly random = prngSeed(0x5747, 1);

  constructor(cells: number) {
    this.draws = Array.from({ length: cells }, () => []);
  }

  of(cell: number, number: number): number {
    const draws = this.draws[cell] as number[];
    while (draws.length <= number) draws.push(prngNext(this.random) | 0);
    return draws[number] as number;
  }

  row(row: Row): number {
    let hash = 0;
    for (let cell = 0; cell < row.length; cell++) hash ^= this.of(cell, row[cell] as number);
    return hash;
  }
}
