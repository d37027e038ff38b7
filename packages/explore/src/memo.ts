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
 */
export class Memo<T> {
  private tree: Node<T> | undefined;

  constructor(private readonly ask: (row: Row) => Answered<T>) {}

  answer(row: Row): T {
    let node = this.tree;
    while (node !== undefined) {
      if (node.cell < 0) return node.answer as T;
      node = node.next[row[node.cell] as number];
    }
    return this.learn(row);
  }

  private learn(row: Row): T {
    const { reads, answer } = this.ask(row);
    const leaf: Node<T> = { cell: -1, next: NO_NODES, answer };
    let parent: Node<T> | undefined;
    for (const cell of reads) {
      const known: Node<T> | undefined =
        parent === undefined ? this.tree : parent.next[row[parent.cell] as number];
      const node: Node<T> = known ?? { cell, next: [], answer: undefined };
      if (known === undefined) this.attach(parent, row, node);
      parent = node;
    }
    this.attach(parent, row, leaf);
    return answer;
  }

  private attach(parent: Node<T> | undefined, row: Row, node: Node<T>): void {
    if (parent === undefined) {
      this.tree = node;
      return;
    }
    const number = row[parent.cell] as number;
    // Without holes the list stays an array that is fast to index.
    while (parent.next.length < number) parent.next.push(undefined);
    parent.next[number] = node;
  }
}

/** One shape for branches and answers, so that the loop above sees one. `cell` is -1 at an answer. */
interface Node<T> {
  readonly cell: number;
  readonly next: (Node<T> | undefined)[];
  readonly answer: T | undefined;
}
const NO_NODES: never[] = [];
