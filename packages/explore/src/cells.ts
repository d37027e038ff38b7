import { present } from '@tablewalk/base';
import { Interner } from './interner.ts';

/**
 * A state is a row of numbers, one a cell: which of its values each slice has, what each CPU's interrupts are
 * doing, and where each task is. (SPIN calls it collapse compression: Holzmann, "State Compression in SPIN",
 * 1997.) Equal states are equal rows.
 */
export type Row = Int32Array;

/** The values that cells have had, by number; numbers count from 0 in the order of their appearance. */
export class Cells {
  private readonly values: unknown[][];
  private readonly numbers: Map<number, number>[];
  private readonly interner = new Interner();

  constructor(readonly names: readonly string[]) {
    this.values = names.map(() => []);
    this.numbers = names.map(() => new Map());
  }

  get count(): number {
    return this.names.length;
  }

  value(cell: number, number: number): unknown {
    return (this.values[cell] as unknown[])[number];
  }

  /** The number of a value; the value must not change any more. */
  number(cell: number, value: unknown): number {
    const content = this.interner.number(value);
    const numbers = present(this.numbers[cell], 'cell');
    let number = numbers.get(content);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(content, number);
      (this.values[cell] as unknown[]).push(value);
    }
    return number;
  }
}
