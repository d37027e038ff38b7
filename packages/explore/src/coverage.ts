import type { Row } from './cells.ts';
import type { StateSpace } from './state-space.ts';
import { Visited } from './visited.ts';

/** How many distinct states were seen, and how many steps that took. */
export class Coverage {
  private readonly visited: Visited;
  private seen = 0;
  private begun = 0;

  constructor(private readonly space: StateSpace) {
    this.visited = new Visited(space.initial);
  }

  /** A schedule begins. */
  begin(row: Row): void {
    this.begun += 1;
    this.see(row);
  }
  see(row: Row): void {
    this.seen += 1;
    this.visited.add(row, this.space.layout.hash.row(row), -1, 0);
  }

  get states(): number {
    return this.visited.count;
  }
  get steps(): number {
    return this.seen - this.begun;
  }
}
