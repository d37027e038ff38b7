import { MISS_CLASSES } from './miss-classifier.ts';

/** Kinds of access to a cache. A modify is a read, then a write. */
export const CacheKind = { fetch: 0, read: 1, write: 2, walk: 3 } as const;
const KIND_NAMES = ['I', 'R', 'W', 'walk'];

/** Where a cache's counters lie: the counter of kind k is at `accesses + k` (`misses + k`). */
export interface LevelCounters {
  readonly accesses: number;
  readonly misses: number;
  readonly writebacks: number;
  readonly cleaned: number;
  readonly invalidated: number;
  /** First of the three classes; -1 when they are not counted. */
  readonly classes: number;
  /** First of LOAD, STORE, HIT, MISS, EVICT; -1 but for accounting `pycachesim`. */
  readonly pycachesim: number;
}
export const PYCACHESIM_NAMES = ['LOAD', 'STORE', 'HIT', 'MISS', 'EVICT'] as const;

/** Counters of all CPUs, and the words that summarise what happened: every cache writes here. */
export class CacheLedger {
  readonly names: string[] = [];
  /** By CPU; set once all names are known. */
  counters: readonly Float64Array[] = [];
  outcomes: Int32Array = new Int32Array(0);
  readonly memoryReads = this.add('memory.reads');
  readonly memoryWrites = this.add('memory.writes');
  readonly memoryWalkReads = this.add('memory.walkReads');

  /** `kinds`: first and last kind that this cache can see. */
  level(name: string, kinds: readonly [first: number, last: number], options: LedgerOptions): LevelCounters {
    const [first, last] = kinds;
    const run = (names: readonly string[]): number => {
      const at = this.names.length;
      for (const counter of names) this.add(`${name}.${counter}`);
      return at;
    };
    const seen = KIND_NAMES.slice(first, last + 1);
    return {
      accesses: run(seen.map((kind) => `accesses::${kind}`)) - first,
      misses: run(seen.map((kind) => `misses::${kind}`)) - first,
      writebacks: run(['writebacks']),
      cleaned: run(['cleaned']),
      invalidated: run(['invalidated']),
      classes: options.classify ? run(MISS_CLASSES) : -1,
      pycachesim: options.pycachesim ? run(PYCACHESIM_NAMES) : -1,
    };
  }

  add(name: string): number {
    return this.names.push(name) - 1;
  }
}

export interface LedgerOptions {
  readonly classify: boolean;
  readonly pycachesim: boolean;
}

/** 2^32 over the golden ratio. */
export const MIX = 0x9e3779b1;

/** Folds one event into a summary word. */
export const mixOutcome = (word: number, event: number): number => {
  const mixed = Math.imul(word ^ event, MIX);
  return (mixed ^ (mixed >>> 15)) | 0;
};
