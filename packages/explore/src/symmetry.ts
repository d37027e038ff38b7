import { assert, present } from '@tablewalk/base';
import type { Symmetry } from '@tablewalk/stories';
import type { Row } from './cells.ts';
import { ENDED } from './program-graph.ts';
import type { RowHash } from './row-hash.ts';
import type { StateSpace } from './state-space.ts';

/** Beyond this many permutations finding the smallest costs more than it saves. */
const GROUP_MAX = 720;

/** One permutation, as what each cell becomes: the cell that its number moves to, and the number it is there. */
class Renaming {
  private readonly known: Int32Array[];

  constructor(
    readonly to: readonly number[],
    private readonly rename: (cell: number, number: number) => number,
  ) {
    this.known = to.map(() => new Int32Array(0));
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

  apply(row: Row, into: Row): void {
    for (let cell = 0; cell < row.length; cell++)
      into[this.to[cell] as number] = this.number(cell, row[cell] as number);
  }
}

/**
 * Of the states that differ only by a permutation of what is alike, one stands for all: the smallest row.
 * (Ip and Dill, "Better verification through symmetry", 1996.) The story declares the permutations; a test holds
 * every story's outcomes with and without them together.
 */
export class Canonical {
  private readonly group: readonly Renaming[];
  private readonly words: RowHash;
  private readonly smallest: Row;
  private readonly candidate: Row;

  constructor(space: StateSpace, symmetries: readonly Symmetry[]) {
    this.group = closure(symmetries.map((symmetry) => renamingOf(space, symmetry)));
    this.words = space.layout.hash;
    this.smallest = new Int32Array(space.layout.cells.count);
    this.candidate = new Int32Array(space.layout.cells.count);
    for (const renaming of this.group) {
      renaming.apply(space.initial, this.candidate);
      assert(
        this.candidate.every((number, cell) => number === space.initial[cell]),
        'a symmetry changes the initial state: it is none of this story',
      );
    }
  }

  /** The smallest row that the permutations make of this one. The answer is written over by the next call. */
  of(row: Row): Row {
    const { smallest, candidate } = this;
    smallest.set(row);
    for (const renaming of this.group) {
      renaming.apply(row, candidate);
      if (isSmaller(candidate, smallest, this.words)) smallest.set(candidate);
    }
    return smallest;
  }
}

/** By the words of their values, so that every process chooses the same. */
function isSmaller(a: Row, b: Row, words: RowHash): boolean {
  for (let cell = 0; cell < a.length; cell++) {
    if (a[cell] === b[cell]) continue;
    const difference = words.of(cell, a[cell] as number) - words.of(cell, b[cell] as number);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

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

/** All products of the permutations, but the one that changes nothing. */
function closure(generators: readonly Renaming[]): readonly Renaming[] {
  const group: Renaming[] = [...generators];
  const then = (a: Renaming, b: Renaming): Renaming =>
    new Renaming(
      a.to.map((cell) => b.to[cell] as number),
      (cell, number) => b.number(a.to[cell] as number, a.number(cell, number)),
    );
  const words = new Set(generators.map((_, i) => String(i)));
  let frontier = generators.map((renaming, i) => ({ renaming, word: [i] }));
  // Products of so many generators: which of them are the same permutation is not known before values are seen,
  // so a bound on their length keeps the group finite; doubles cost time, never a state.
  for (let length = 2; length <= Math.min(generators.length, 4); length++) {
    const next: typeof frontier = [];
    for (const { renaming, word } of frontier)
      for (let i = 0; i < generators.length; i++) {
        if (word.at(-1) === i || words.has([...word, i].join()) || group.length >= GROUP_MAX) continue;
        const product = { renaming: then(renaming, generators[i] as Renaming), word: [...word, i] };
        words.add(product.word.join());
        group.push(product.renaming);
        next.push(product);
      }
    frontier = next;
  }
  return group;
}
