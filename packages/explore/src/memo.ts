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

interface Branch<T> {
  readonly cell: number;
  readonly next: (Branch<T> | Leaf<T> | undefined)[];
}
interface Leaf<T> {
  readonly cell: -1;
  readonly answer: T;
}

/**
 * Remembers the answers to one question. A tree: the cell that is read first, below each of its numbers the
 * cell that is read next, and so on to the answer. This is what makes exploration fast without a loop for any
 * story: `decide` and `evolve` run once for what they see, not once for each state.
 */
export class Memo<T> {
  private tree: Branch<T> | Leaf<T> | undefined;

  constructor(private readonly ask: (row: Row) => Answered<T>) {}

  answer(row: Row): T {
    let node = this.tree;
    while (node !== undefined && node.cell >= 0) node = (node as Branch<T>).next[row[node.cell] as number];
    return node === undefined ? this.learn(row) : (node as Leaf<T>).answer;
  }

  private learn(row: Row): T {
    const { reads, answer } = this.ask(row);
    let node = this.tree;
    let attach = (child: Branch<T> | Leaf<T>): void => {
      this.tree = child;
    };
    for (const cell of reads) {
      if (node === undefined) attach((node = { cell, next: [] }));
      const branch: Branch<T> = node as Branch<T>;
      const number = row[branch.cell] as number;
      attach = (child) => {
        branch.next[number] = child;
      };
      node = branch.next[number];
    }
    attach({ cell: -1, answer });
    return answer;
  }
}
