/** Classes of misses, in the order of their counters. */
export const MISS_CLASSES = ['compulsory', 'capacity', 'conflict'] as const;
const COMPULSORY = 0;
const CAPACITY = 1;
const CONFLICT = 2;

/**
 * Three Cs. Hill, Smith, "Evaluating associativity in CPU caches", IEEE Transactions on Computers
 * 38(12), 1989, as Dinero IV counts them (-ccc): a miss is compulsory when the line was never
 * referenced before; capacity when a fully associative LRU cache of the same size misses, too; else
 * conflict. Every reference must be told, hits as well: the fully associative cache sees all.
 */
export class MissClassifier {
  /** The class of the last reference, should it have missed. */
  lastClass = COMPULSORY;
  private readonly seen = new Set<number>();
  /** The fully associative cache: a Map keeps its keys in the order in which they were put. */
  private readonly recent = new Map<number, true>();

  constructor(private readonly lines: number) {}

  /** `allocates`: false for a write that misses in a cache that does not allocate on writes. */
  reference(key: number, allocates: boolean): void {
    if (this.recent.delete(key)) {
      this.recent.set(key, true);
      this.lastClass = CONFLICT;
      return;
    }
    this.lastClass = this.seen.has(key) ? CAPACITY : COMPULSORY;
    if (!allocates) return;
    this.seen.add(key);
    this.recent.set(key, true);
    if (this.recent.size > this.lines) this.recent.delete(this.recent.keys().next().value as number);
  }

  forget(key: number): void {
    this.recent.delete(key);
  }
}
