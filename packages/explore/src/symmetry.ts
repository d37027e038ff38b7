import { assert, present, prngBelow, prngSeed } from '@tablewalk/base';
import type { Symmetry } from '@tablewalk/stories';
import type { Row } from './cells.ts';
import { ENDED } from './program-graph.ts';
import type { RowHash } from './row-hash.ts';
import type { StateSpace } from './state-space.ts';
import { Walk } from './walk.ts';

/** Beyond this many permutations finding the smallest costs more than it saves. */
const GROUP_MAX = 1024;

/** One permutation, as what each cell becomes: the cell that its number moves to, and the number it is there. */
class Renaming {
  private readonly known: Int32Array[];
  /** The cell whose number comes to be in this one. */
  private readonly from: readonly number[];

  constructor(
    readonly to: readonly number[],
    private readonly rename: (cell: number, number: number) => number,
  ) {
    this.known = to.map(() => new Int32Array(0));
    this.from = to.map((_, cell) => to.indexOf(cell));
  }

  number(cell: number, number: number): number {
    let known = this.known[cell] as Int32Array;
    if (number >= known.length) {
      const longer = new Int32Array(Math.max(16, 2 * (number + 1))).fill(-1);
      longer.set(known);
      this.known[cell] = known = longer;
    }
    if (known[number] === -1) known[number] = this.rename(cell, number);
    return known[number] as number;
  }

  /** The number that this permutation of a row has in a cell. */
  at(row: Row, cell: number): number {
    const from = this.from[cell] as number;
    return this.number(from, row[from] as number);
  }

  apply(row: Row, into: Row): void {
    for (let cell = 0; cell < row.length; cell++) into[cell] = this.at(row, cell);
  }
}

/**
 * Of the states that differ only by a permutation of what is alike, one stands for all: the smallest row.
 * (Ip and Dill, "Better verification through symmetry", 1996.) The story declares permutations, their products
 * are found here; a test holds every story's outcomes with and without them together.
 */
export class Canonical {
  private readonly group: readonly Renaming[];
  private readonly words: RowHash;
  private readonly smallest: Row;

  constructor(space: StateSpace, symmetries: readonly Symmetry[]) {
    this.words = space.layout.hash;
    this.smallest = new Int32Array(space.layout.cells.count);
    this.group = closure(
      symmetries.map((symmetry) => renamingOf(space, symmetry)),
      sampleRows(space),
    );
    for (const renaming of this.group)
      assert(
        space.initial.every((number, cell) => renaming.at(space.initial, cell) === number),
        'a symmetry changes the initial state: it is none of this story',
      );
  }

  /** The smallest row that the permutations make of this one. The answer is written over by the next call. */
  of(row: Row): Row {
    const { smallest } = this;
    smallest.set(row);
    for (const renaming of this.group) if (this.makesSmaller(renaming, row)) renaming.apply(row, smallest);
    return smallest;
  }

  /** Every row that the permutations make of this one. */
  *images(row: Row): Generator<Row> {
    yield row;
    const image = new Int32Array(row.length);
    for (const renaming of this.group) {
      renaming.apply(row, image);
      yield image;
    }
  }

  /** Compared by the words of values, so that every process chooses the same row. */
  private makesSmaller(renaming: Renaming, row: Row): boolean {
    const { smallest, words } = this;
    for (let cell = 0; cell < row.length; cell++) {
      const number = renaming.at(row, cell);
      if (number === smallest[cell]) continue;
      const difference = words.of(cell, number) - words.of(cell, smallest[cell] as number);
      if (difference !== 0) return difference < 0;
    }
    return false;
  }
}

const SAMPLE_WALKS = 16;
const SAMPLE_STEPS = 64;

/** Some states of a space, to tell permutations apart by. */
function sampleRows(space: StateSpace): Row[] {
  return Array.from({ length: SAMPLE_WALKS }, (_, i) => {
    const draws = prngSeed(i, 7);
    const walk = new Walk(space);
    const steps = prngBelow(draws, SAMPLE_STEPS);
    while (walk.end === undefined && walk.movers.length < steps)
      walk.take(walk.enabled[prngBelow(draws, walk.enabled.length)] as number);
    return walk.row;
  });
}

/**
 * All products of the permutations, but the one that changes nothing. Two that make the same of every sample are
 * taken for one; if they were two, the reduction would be smaller than it could be, and as right.
 */
function closure(generators: readonly Renaming[], samples: readonly Row[]): readonly Renaming[] {
  const image = new Int32Array(samples[0]?.length ?? 0);
  const signature = (renaming: Renaming): string =>
    samples
      .map((row) => {
        renaming.apply(row, image);
        return image.join();
      })
      .join(';');
  const unchanged = samples.map((row) => row.join()).join(';');
  const known = new Set([unchanged]);
  const group: Renaming[] = [];
  const add = (renaming: Renaming): void => {
    const key = signature(renaming);
    if (known.has(key) || group.length >= GROUP_MAX) return;
    known.add(key);
    group.push(renaming);
  };
  generators.forEach(add);
  for (let i = 0; i < group.length; i++)
    for (const generator of generators) add(product(group[i] as Renaming, generator));
  return group;
}

const product = (a: Renaming, b: Renaming): Renaming =>
  new Renaming(
    a.to.map((cell) => b.to[cell] as number),
    (cell, number) => b.number(a.to[cell] as number, a.number(cell, number)),
  );

function renamingOf({ layout, graph, staged }: StateSpace, symmetry: Symmetry): Renaming {
  const { cells, slice, tasks } = layout;
  const to = cells.names.map((_, cell) => cell);
  for (const [from, target] of Object.entries(symmetry.slices ?? {}))
    to[present(slice.get(from), `slice ${from}`)] = present(slice.get(target), `slice ${target}`);
  for (const [from, target] of Object.entries(symmetry.tasks ?? {}))
    to[tasks + Number(from)] = tasks + target;
  assert(new Set(to).size === to.length, `symmetry "${symmetry.name}" is no permutation`);
  return new Renaming(to, (cell, number) => {
    const target = to[cell] as number;
    if (cell >= tasks) {
      if (number === ENDED || target === cell) return number;
      return graph.counterpart(number, present(staged.play.tasks[target - tasks], 'task'), target - tasks);
    }
    const value = cells.value(cell, number);
    const renamed = symmetry.value?.(cells.names[cell] as string, value) ?? value;
    return renamed === value && target === cell ? number : cells.number(target, renamed);
  });
}
