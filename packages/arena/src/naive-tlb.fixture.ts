import type { AccessKind } from '@tablewalk/contracts';

/** A TLB from golden/traces `meaning.tlb`, as lists of records; set and entry by plain arithmetic. */
export interface NaiveShape {
  readonly sets: number;
  readonly ways: number;
  readonly policy: 'lru' | 'fifo' | 'rr';
}
export interface NaiveEntry {
  readonly first: number;
  readonly bytes: number;
  readonly asid: number;
  readonly global: boolean;
}
interface NaiveSet {
  readonly slots: (NaiveEntry | undefined)[];
  readonly order: NaiveEntry[];
  pointer: number;
}
export const KINDS = 'ILSM';

export class NaiveTlb {
  lookups: Record<string, number> = {};
  misses: Record<string, number> = {};
  evictions = 0;
  flushed = 0;
  /** Ways by number, and their order of use (lru) or of filling. */
  private readonly sets = new Map<number, NaiveSet>();

  constructor(
    private readonly shape: NaiveShape,
    private readonly shifts: readonly number[],
  ) {}

  find(va: number, asid: number): NaiveEntry | undefined {
    for (const shift of this.shifts)
      for (const entry of this.set(Math.floor(va / 2 ** shift)).slots)
        if (
          entry &&
          va >= entry.first &&
          va < entry.first + entry.bytes &&
          (entry.global || entry.asid === asid)
        )
          return entry;
    return undefined;
  }

  use(va: number, asid: number, kind: AccessKind): NaiveEntry | undefined {
    const letter = KINDS[kind] as string;
    this.lookups[letter] = (this.lookups[letter] ?? 0) + 1;
    const entry = this.find(va, asid);
    if (entry === undefined) this.misses[letter] = (this.misses[letter] ?? 0) + 1;
    else if (this.shape.policy === 'lru') {
      const { order } = this.set(Math.floor(entry.first / entry.bytes));
      order.push(...order.splice(order.indexOf(entry), 1));
    }
    return entry;
  }

  fill(entry: NaiveEntry): void {
    const set = this.set(Math.floor(entry.first / entry.bytes));
    const free = this.shape.policy === 'rr' ? set.pointer : set.slots.indexOf(undefined);
    const way = free >= 0 ? free : set.slots.indexOf(set.order[0]);
    const victim = set.slots[way];
    if (victim !== undefined) {
      this.evictions += 1;
      set.order.splice(set.order.indexOf(victim), 1);
    }
    set.slots[way] = entry;
    set.order.push(entry);
    set.pointer = (way + 1) % this.shape.ways;
  }

  drop(wanted: (entry: NaiveEntry) => boolean): void {
    for (const set of this.sets.values())
      set.slots.forEach((entry, way) => {
        if (entry === undefined || !wanted(entry)) return;
        set.slots[way] = undefined;
        set.order.splice(set.order.indexOf(entry), 1);
        this.flushed += 1;
      });
  }

  private set(page: number): NaiveSet {
    const number = page % this.shape.sets;
    const slots = Array<NaiveEntry | undefined>(this.shape.ways).fill(undefined);
    if (!this.sets.has(number)) this.sets.set(number, { slots, order: [], pointer: 0 });
    return this.sets.get(number) as NaiveSet;
  }
}
