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
 * Remembers the answers to some questions. Each has a tree: the cell that is read first, below each of its numbers
 * the cell that is read next, and so on to the answer. This is what makes exploration fast without a loop for any
 * story: `decide` and `evolve` run once for what they see, not once for each state.
 *
 * The trees lie in one flat array, because all are walked in every state. Invariants:
 * 1. A branch at `b` reads cell `trees[b]`; its children are at `b + 2` and on, `trees[b + 1]` of them, by number.
 * 2. A child is 0: nobody has been there; above 0: where a branch is; below 0: answer `-child - 1`.
 * 3. The first children are the roots, by question: a branch at `ROOTS - 2` that reads no cell.
 */
export class Memo<T> {
  readonly answers: T[] = [];
  private trees: Int32Array<ArrayBuffer>;
  private used: number;

  constructor(
    private readonly questions: number,
    private readonly ask: (question: number, row: Row) => Answered<T>,
  ) {
    this.used = ROOTS + questions;
    this.trees = new Int32Array(Math.max(64, 2 * this.used));
    this.trees[ROOTS - 1] = questions;
  }

  /** The number of the answer, in `answers`. */
  find(question: number, row: Row): number {
    const { trees } = this;
    let child = trees[ROOTS + question] as number;
    while (child > 0) {
      const number = row[trees[child] as number] as number;
      if (number >= (trees[child + 1] as number)) return this.learn(question, row);
      child = trees[child + 2 + number] as number;
    }
    return child === 0 ? this.learn(question, row) : -child - 1;
  }

  /** The numbers of all answers, by question. */
  findAll(row: Row, answers: Int32Array): void {
    const { questions } = this;
    for (let question = 0; question < questions; question++) answers[question] = this.find(question, row);
  }

  private learn(question: number, row: Row): number {
    const { reads, answer } = this.ask(question, row);
    const found = this.answers.push(answer) - 1;
    let branch = ROOTS - 2;
    let number = question;
    let above: { readonly branch: number; readonly number: number } | undefined;
    for (const cell of reads) {
      let child = this.childOf(branch, number);
      if (child === 0) {
        child = this.newBranch(cell, 4);
        branch = this.attach(branch, number, child, above);
      }
      above = { branch, number };
      branch = child;
      number = row[cell] as number;
    }
    this.attach(branch, number, -found - 1, above);
    return found;
  }

  private childOf(branch: number, number: number): number {
    return number >= (this.trees[branch + 1] as number) ? 0 : (this.trees[branch + 2 + number] as number);
  }

  private newBranch(cell: number, room: number): number {
    const branch = this.used;
    this.used += 2 + room;
    if (this.used > this.trees.length) {
      const longer = new Int32Array(2 * this.used);
      longer.set(this.trees);
      this.trees = longer;
    }
    this.trees[branch] = cell;
    this.trees[branch + 1] = room;
    return branch;
  }

  /** Gives a branch a child, and answers where the branch is: without room for the number it moves. */
  private attach(
    branch: number,
    number: number,
    child: number,
    above: { readonly branch: number; readonly number: number } | undefined,
  ): number {
    const room = this.trees[branch + 1] as number;
    if (number < room) {
      this.trees[branch + 2 + number] = child;
      return branch;
    }
    const moved = this.newBranch(this.trees[branch] as number, 2 ** (32 - Math.clz32(number)));
    this.trees.copyWithin(moved + 2, branch + 2, branch + 2 + room);
    this.trees[moved + 2 + number] = child;
    // Only roots have nothing above, and there is room for all of them.
    if (above !== undefined) this.trees[above.branch + 2 + above.number] = moved;
    return moved;
  }
}

/** Where the roots begin: no branch is at 0, and the branch of the roots has two words before them. */
const ROOTS = 3;
