import type { Variable } from './variable.ts';

/** Where each of some things that are alike goes: number i becomes `to[i]`. What a symmetry is made of. */
export type Permutation = readonly number[];

/**
 * The exchanges of neighbours among the numbers from `first` up to `count`: they generate all permutations.
 */
export const neighbours = (count: number, first = 0): readonly Permutation[] =>
  Array.from({ length: Math.max(0, count - 1 - first) }, (_, i) => exchange(count, first + i, first + i + 1));

export const exchange = (count: number, one: number, other: number): Permutation =>
  Array.from({ length: count }, (_, i) => (i === one ? other : i === other ? one : i));

/** All permutations of so many things, also the one that moves nothing. For few. */
export function permutations(count: number): readonly Permutation[] {
  if (count === 0) return [[]];
  return permutations(count - 1).flatMap((rest) =>
    Array.from({ length: count }, (_, place) => rest.toSpliced(place, 0, count - 1)),
  );
}

/** For `slices` of a symmetry: variables of one kind change places. */
export const movedSlices = (kind: readonly Variable[], to: Permutation): Record<string, string> =>
  Object.fromEntries(
    kind.flatMap(({ name }, i) => {
      const target = kind[to[i] as number] as Variable;
      return target.name === name ? [] : [[name, target.name]];
    }),
  );

/** For `value` of a symmetry: the numbers of a list change places. */
export function movedNumbers(list: readonly number[], to: Permutation): readonly number[] {
  const moved = [...list];
  list.forEach((value, i) => (moved[to[i] as number] = value));
  return moved;
}

/** Which numbers a permutation moves, for its name. */
export const movedOf = (to: Permutation): string => to.flatMap((j, i) => (j === i ? [] : [i])).join(' and ');
