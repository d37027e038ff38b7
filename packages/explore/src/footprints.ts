import { CodedError, present } from '@tablewalk/base';
import type { PlayTask } from '@tablewalk/machine';
import type { Possible, StateSpace } from './state-space.ts';

/** Cells that each mover may read, and write. */
export interface FixedFootprints {
  readonly reads: readonly ReadonlySet<number>[];
  readonly writes: readonly ReadonlySet<number>[];
}

/**
 * Which cells each mover may touch: the union of what it was seen to read and write. A partial-order search
 * takes them for all that a mover ever touches. A search that sees more must begin again with what it has
 * learnt; one that ends with the footprints it began with was right (docs/adr/0008-exploration.md says why).
 *
 * What a task declares (`touches`) is held against what it is seen to touch. Only where that check is switched
 * off is the declaration itself taken as the footprint: then a wrong one hides outcomes.
 */
export class Footprints {
  readonly reads: readonly Set<number>[];
  readonly writes: readonly Set<number>[];
  /** Grows with every cell that is new in a footprint. */
  version = 0;
  private readonly declared: readonly (ReadonlySet<number> | undefined)[];

  constructor(
    private readonly space: StateSpace,
    tasks: readonly PlayTask[],
    private readonly checking: boolean,
  ) {
    const { movers } = space;
    this.declared = movers.map(({ kind, which }) =>
      kind === 'task' ? declaredCells(space, present(tasks[which], 'task'), which) : undefined,
    );
    const begin = (mover: number): Set<number> => new Set(checking ? [] : (this.declared[mover] ?? []));
    this.reads = movers.map((_, mover) => begin(mover));
    this.writes = movers.map((_, mover) => begin(mover));
  }

  learn(mover: number, { reads, written }: Possible): void {
    const declared = this.declared[mover];
    if (declared !== undefined) {
      if (!this.checking) return;
      for (const cell of reads) if (!declared.has(cell)) throw this.undeclared(mover, cell);
    }
    this.extend(this.reads[mover] as Set<number>, reads);
    this.extend(this.writes[mover] as Set<number>, written.cells);
  }

  private extend(footprint: Set<number>, cells: readonly number[]): void {
    for (const cell of cells)
      if (!footprint.has(cell)) {
        footprint.add(cell);
        this.version += 1;
      }
  }

  /** As they are now, for a search that must not see them grow. */
  snapshot(): FixedFootprints {
    return {
      reads: this.reads.map((cells) => new Set(cells)),
      writes: this.writes.map((cells) => new Set(cells)),
    };
  }

  private undeclared(mover: number, cell: number): CodedError {
    const { which } = present(this.space.movers[mover], 'mover');
    const name = this.space.layout.cells.names[cell] as string;
    return new CodedError('TOUCHES_WRONG', {
      what: `task ${this.space.layout.cells.names[this.space.layout.tasks + which]} touched "${name}"`,
      why: 'its story says that it never does, and exploration would prune by that',
      fix: `add "${name}" to the task's touches, or leave touches out`,
    });
  }
}

/** What a task declares, and what every task touches: its own place, its CPU, and what may keep it from running. */
function declaredCells(
  { layout }: StateSpace,
  { cpu, touches }: PlayTask,
  task: number,
): ReadonlySet<number> | undefined {
  if (touches === undefined) return undefined;
  const always = ['cpus', 'tasks', 'locks'].map((slice) => layout.slice.get(slice));
  const named = touches.map((slice) => {
    const cell = layout.slice.get(slice);
    if (cell !== undefined) return cell;
    throw new CodedError('TOUCHES_WRONG', {
      what: `a task declares that it touches "${slice}", and there is no such slice`,
      why: `the slices are: ${[...layout.slice.keys()].join(', ')}`,
      fix: 'name slices of the machine, or of the story',
    });
  });
  return new Set([
    ...named,
    layout.cpus + cpu,
    layout.tasks + task,
    ...always.filter((cell) => cell !== undefined),
  ]);
}
