/**
 * A map from natural numbers below 2^40 to values, as a tree of small plain objects: 32 ways a
 * level. Written through an immer draft, a change copies one path of it and not the whole map;
 * written directly it costs a few property accesses. It is JSON as it stands.
 */
export interface SparseTable<T> {
  [digit: number]: SparseTable<T> | T;
}

const LEVELS = 8;
const RADIX = 32;
const POWERS = Array.from({ length: LEVELS }, (_, level) => RADIX ** (LEVELS - 1 - level));

export const sparseTable = <T>(): SparseTable<T> => ({});

export function tableGet<T>(table: SparseTable<T>, key: number): T | undefined {
  let node: SparseTable<T> | T | undefined = table;
  for (let level = 0; level < LEVELS; level++) {
    if (node === undefined) return undefined;
    node = (node as SparseTable<T>)[Math.floor(key / (POWERS[level] as number)) % RADIX];
  }
  return node as T | undefined;
}

export function tableSet<T>(table: SparseTable<T>, key: number, value: T): void {
  let node = table;
  for (let level = 0; level < LEVELS - 1; level++) {
    const digit = Math.floor(key / (POWERS[level] as number)) % RADIX;
    const child = node[digit] as SparseTable<T> | undefined;
    if (child === undefined) node = (node[digit] = {}) as SparseTable<T>;
    else node = child;
  }
  node[key % RADIX] = value;
}

/** Removes an entry; empty nodes stay (they are few and will be used again). */
export function tableDelete<T>(table: SparseTable<T>, key: number): void {
  let node: SparseTable<T> | undefined = table;
  for (let level = 0; level < LEVELS - 1 && node !== undefined; level++)
    node = node[Math.floor(key / (POWERS[level] as number)) % RADIX] as SparseTable<T> | undefined;
  if (node !== undefined) delete node[key % RADIX];
}

/** All entries, in the order of their keys. */
export function* tableEntries<T>(table: SparseTable<T>): Generator<[key: number, value: T]> {
  yield* entriesBelow(table, 0, 0);
}

function* entriesBelow<T>(node: SparseTable<T>, level: number, prefix: number): Generator<[number, T]> {
  for (const digit of Object.keys(node)) {
    const key = prefix * RADIX + Number(digit);
    const child = node[Number(digit)] as SparseTable<T> | T;
    if (level === LEVELS - 1) yield [key, child as T];
    else yield* entriesBelow(child as SparseTable<T>, level + 1, key);
  }
}
