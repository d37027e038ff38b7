import { KeyTable } from './key-table.ts';

const TIMES_MIN = 64;

/**
 * The LRU stack of Mattson, Gecsei, Slutz, Traiger, "Evaluation techniques for storage hierarchies", IBM Systems
 * Journal 9(2), 1970, without the stack: B. T. Bennett, V. J. Kruskal, "LRU stack processing", IBM Journal of
 * Research and Development 19(4), 1975, mark the time of each key's last use; a key lies as deep as marks are later
 * than its own. The marks are counted by a tree of partial sums (P. M. Fenwick, "A new data structure for cumulative
 * frequency tables", Software: Practice and Experience 24(3), 1994).
 *
 * A touch takes O(log n) for n distinct keys, and memory is O(n) whatever the number of touches: times are
 * numbered anew when they run out, at least n touches after the last time.
 */
export class StackDistances {
  /** Time of the last use of each key, from 1. */
  private readonly last = new KeyTable();
  /** `sums[t]` counts the marks in the (t & -t) times that end with t. */
  private sums = new Int32Array(TIMES_MIN + 1);
  private now = 0;
  private newest = -1;

  /** Keys that were touched so far: the depth of the stack. */
  get distinct(): number {
    return this.last.size;
  }

  /**
   * The depth at which a key lies, 1 at the top, before it is brought there; 0: it was never touched. An LRU
   * memory of that many keys or more hits.
   */
  touch(key: number): number {
    if (key === this.newest) return 1;
    this.newest = key;
    if (this.now === this.sums.length - 1) this.renumber();
    this.now += 1;
    const slot = this.last.slotOf(key);
    const before = this.last.at(slot);
    const depth = before === 0 ? 0 : this.last.size - this.marksUntil(before) + 1;
    if (before !== 0) this.mark(before, -1);
    this.mark(this.now, 1);
    this.last.put(slot, key, this.now);
    return depth;
  }

  private marksUntil(time: number): number {
    const { sums } = this;
    let count = 0;
    for (let t = time; t > 0; t &= t - 1) count += sums[t] as number;
    return count;
  }

  private mark(time: number, by: number): void {
    const { sums } = this;
    for (let t = time; t < sums.length; t += t & -t) sums[t] = (sums[t] as number) + by;
  }

  /** The marks become times 1 to n, in their order; there is room for as many touches again, at least. */
  private renumber(): void {
    const { size } = this.last;
    const ranks = Int32Array.from(this.sums, (_, time) => this.marksUntil(time));
    this.last.renumber((time) => ranks[time] as number);
    const times = this.sums.length - 1;
    this.sums = new Int32Array((size * 2 > times ? times * 2 : times) + 1);
    for (let time = 1; time <= size; time++) this.mark(time, 1);
    this.now = size;
  }
}
