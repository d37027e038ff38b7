import type { Row } from './cells.ts';

/**
 * What came of a question that was asked of a state, and which cells it read to answer. A question is a
 * deterministic function of what it reads, so the answer holds for every state with the same numbers there.
 */
export interface Answered<T> {
  /** Cells in the order in which they were first read. */
  readonly reads: readonly number[];
  readonly answer: T;
}

/**
 * Remembers the answers to one question. A tree: the cell that is read first, below each of its numbers the
 * cell that is read next, and so on to the answer. This is what makes exploration fast without a loop for any
 * story: `decide` and `evolve` run once for what they see, not once for each state.
 *
 * The tree lies in flat arrays, because it is walked once for every mover in every state. Invariants:
 * 1. Branch `b` reads `cells[b]`; its children are `children[bases[b]]` and on, `rooms[b]` of them, by number.
 * 2. A child is 0: nobody has been there; above 0: a branch; below 0: answer number `-child - 1`.
 * 3. Branch 0 is no branch; its one child is the root.
 */
export class Memo<T> {
  private cells = new Int32Array(8);
  private bases = new Int32Array(8);
  private rooms = new Int32Array(8);
  private branches = 1;
  private children = new Int32Array(32);
  private used = 1;
  private readonly answers: T[] = [];

  constructor(private readonly ask: (row: Row) => Answered<T>) {
    this.rooms[0] = 1;
  }

  answer(row: Row): T {
    const { cells, bases, rooms, children } = this;
    let child = children[0] as number;
    while (child > 0) {
      const number = row[cells[child] as number] as number;
      if (number >= (rooms[child] as number)) return this.learn(row);
      child = children[(bases[child] as number) + number] as number;
    }
    return child === 0 ? this.learn(row) : (this.answers[-child - 1] as T);
  }

  private learn(row: Row): T {
    const { reads, answer } = this.ask(row);
    this.answers.push(answer);
    let branch = 0;
    let number = 0;
    for (const cell of reads) {
      const child = this.childOf(branch, number);
      const next = child === 0 ? this.addBranch(cell) : child;
      if (child === 0) this.attach(branch, number, next);
      branch = next;
      number = row[cell] as number;
    }
    this.attach(branch, number, -this.answers.length);
    return answer;
  }

  private childOf(branch: number, number: number): number {
    if (number >= (this.rooms[branch] as number)) return 0;
    return this.children[(this.bases[branch] as number) + number] as number;
  }

  private addBranch(cell: number): number {
    if (this.branches === this.cells.length) {
      const length = 2 * this.branches;
      this.cells = longer(this.cells, length);
      this.bases = longer(this.bases, length);
      this.rooms = longer(this.rooms, length);
    }
    this.cells[this.branches] = cell;
    return this.branches++;
  }

  private attach(branch: number, number: number, child: number): void {
    if (number >= (this.rooms[branch] as number)) this.makeRoom(branch, number);
    this.children[(this.bases[branch] as number) + number] = child;
  }

  /** Moves the children of a branch to where there is room for this number; their old place is given up. */
  private makeRoom(branch: number, number: number): void {
    const room = 2 ** (32 - Math.clz32(number | 1));
    const base = this.used;
    this.used += room;
    if (this.used > this.children.length) this.children = longer(this.children, 2 * this.used);
    const old = this.bases[branch] as number;
    this.children.copyWithin(base, old, old + (this.rooms[branch] as number));
    this.bases[branch] = base;
    this.rooms[branch] = room;
  }
}

function longer(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(length);
  copy.set(array);
  return copy;
}
