import { CodedError, present } from '@tablewalk/base';
import type { PlayTask } from '@tablewalk/machine';
import type { Possible, StateSpace } from './state-space.ts';

/** Cells that each mover may read, and write. */
export interface FixedFootprints {
  readonly reads: readonly ReadonlySet<number>[];
  readonly writes: readonly ReadonlySet<number>[];
  /** Cells that rules over states read. */
  readonly rules: ReadonlySet<number>;
}

/** What several searches have learnt, as one: cells have the same numbers in every process. */
export function united(footprints: readonly FixedFootprints[]): FixedFootprints {
  const all = (cells: readonly ReadonlySet<number>[]): Set<number> =>
    new Set(cells.flatMap((each) => [...each]));
  const movers = footprints[0]?.reads ?? [];
  return {
    reads: movers.map((_, mover) => all(footprints.map(({ reads }) => present(reads[mover], 'mover')))),
    writes: movers.map((_, mover) => all(footprints.map(({ writes }) => present(writes[mover], 'mover')))),
    rules: all(footprints.map(({ rules }) => rules)),
  };
}

/** Was nothing learnt that the footprints do not hold? */
export function cover(footprints: FixedFootprints, learnt: FixedFootprints): boolean {
  const within = (cells: ReadonlySet<number>, known: ReadonlySet<number> | undefined): boolean =>
    [...cells].every((cell) => known?.has(cell) === true);
  return (
    learnt.reads.every((cells, mover) => within(cells, footprints.reads[mover])) &&
    learnt.writes.every((cells, mover) => within(cells, footprints.writes[mover])) &&
    within(learnt.rules, footprints.rules)
  );
}

/**
 * Which cells each mover may touch: the union of what it was seen to read and write. A partial-order search
 * takes them for all that a mover ever touches. A search that sees more must begin again with what it has
 * learnt; one that ends with the footprints it began with was right (docs/adr, number 8, says why).
 *
 * What a task declares (`touches`) is held against what it is seen to touch. Only where that check is switched
 * off is the declaration itself taken as the footprint: then a wrong one hides outcomes.
 */
export class Footprints {
  readonly reads: readonly Set<number>[];
  readonly writes: readonly Set<number>[];
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
    for (const cell of reads) this.reads[mover]?.add(cell);
    for (const cell of written.cells) this.writes[mover]?.add(cell);
  }

  /** As they are now, for a search that must not see them grow. */
  snapshot(): FixedFootprints {
    return {
      reads: this.reads.map((cells) => new Set(cells)),
      writes: this.writes.map((cells) => new Set(cells)),
      rules: new Set(this.space.neverReads),
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
