import type { Digest } from '@tablewalk/base';
import type { ReplacementPolicy, TlbOrder, TranslationContext } from '@tablewalk/contracts';
import { TlbArray } from './tlb-array.ts';

export interface TlbLevelSpec {
  readonly entries: number;
  readonly ways: number;
}
export interface TlbSpec {
  readonly cpus: number;
  readonly seed: number;
  readonly policy: ReplacementPolicy;
  readonly first: { readonly unified: TlbLevelSpec } | { readonly instruction: TlbLevelSpec; readonly data: TlbLevelSpec };
  readonly second?: TlbLevelSpec;
  /** Page sizes that may be held, as log2 of bytes. */
  readonly shifts: readonly number[];
  /**
   * Maintenance of the main TLB, and any change of CONTEXTIDR or TTBR0, empties the first level
   * (Cortex-A9 TRM DDI 0388I 6.2.1).
   */
  readonly microFlush: boolean;
}

const KINDS = 'ILSM';

/** The TLBs of one CPU and what they counted. */
export class CpuTlbs {
  readonly unified: TlbArray | undefined;
  readonly instruction: TlbArray;
  readonly data: TlbArray;
  readonly second: TlbArray | undefined;
  readonly counterNames: string[] = [];
  readonly counts: Float64Array;
  outcome = 0;

  private readonly arrays: { readonly name: string; readonly array: TlbArray }[] = [];
  private readonly microFlush: boolean;
  private readonly walks: number;
  private asid = 0;
  private ttbr = 0;

  constructor({ first, second, shifts, policy, seed, microFlush }: TlbSpec, cpu: number) {
    const add = (name: string, { entries, ways }: TlbLevelSpec): TlbArray => {
      const array = new TlbArray(entries, ways, shifts, policy, seed, cpu * 8 + this.arrays.length);
      array.lookupCounter = this.counterNames.length;
      for (const kind of KINDS) this.counterNames.push(`${name}.lookups::${kind}`);
      for (const kind of KINDS) this.counterNames.push(`${name}.misses::${kind}`);
      this.counterNames.push(`${name}.evictions`, `${name}.flushed`);
      this.arrays.push({ name, array });
      return array;
    };
    if ('unified' in first) {
      this.unified = add('tlb', first.unified);
      this.instruction = this.data = this.unified;
    } else {
      this.instruction = add('itlb', first.instruction);
      this.data = add('dtlb', first.data);
    }
    this.second = second === undefined ? undefined : add('l2tlb', second);
    this.walks = this.counterNames.length;
    this.counterNames.push('tlb.walks', 'tlb.walkReads');
    this.counts = new Float64Array(this.counterNames.length);
    this.microFlush = microFlush;
  }

  /** The context in which the next accesses run. */
  enter({ asid, ttbr }: TranslationContext): void {
    if (asid === this.asid && ttbr === this.ttbr) return;
    this.asid = asid;
    this.ttbr = ttbr;
    if (this.microFlush) this.emptyFirstLevel();
  }

  invalidate(order: TlbOrder): number {
    let gone = 0;
    for (const { array } of this.arrays) gone += array.invalidate(order);
    if (this.microFlush) this.emptyFirstLevel();
    this.outcome = Math.imul(this.outcome ^ gone, 0x01000193);
    return gone;
  }

  private emptyFirstLevel(): void {
    for (const { array } of this.arrays) if (array !== this.second) array.invalidate(EVERYTHING);
  }

  watching(): boolean {
    return this.instruction.watched > 0 || this.data.watched > 0 || (this.second !== undefined && this.second.watched > 0);
  }

  watch(chosen: (array: TlbArray, entry: number) => boolean): number {
    return this.arrays.reduce((count, { array }) => count + array.watch((entry) => chosen(array, entry)), 0);
  }

  /** If the access would go through a watched entry: its frame, and the entry is an ordinary one again. Else -1. */
  unwatchUsed(first: TlbArray, vpn: number, asid: number): number {
    for (const array of this.second === undefined ? [first] : [first, this.second]) {
      const entry = array.findWatched(vpn, asid);
      if (entry >= 0) {
        array.unwatch(entry);
        // Told once: the copy in the other level is the same translation.
        const twin = this.second === undefined || array === this.second ? -1 : this.second.findWatched(vpn, asid);
        if (twin >= 0) this.second?.unwatch(twin);
        const page = vpn - (vpn & (array.mask[entry] as number));
        return (array.pfn[entry] as number) + page;
      }
      // An ordinary match in the first level is used before the second is asked.
      if (array === first && first.peek(vpn, asid)) return -1;
    }
    return -1;
  }

  countLookup(array: TlbArray, kind: number): void {
    this.counts[array.lookupCounter + kind] = (this.counts[array.lookupCounter + kind] as number) + 1;
  }

  countMiss(array: TlbArray, kind: number, vpn: number): void {
    const counter = array.lookupCounter + KINDS.length + kind;
    this.counts[counter] = (this.counts[counter] as number) + 1;
    this.outcome = Math.imul(this.outcome ^ vpn ^ (kind << 30), 0x01000193);
  }

  countWalk(reads: number): void {
    this.counts[this.walks] = (this.counts[this.walks] as number) + 1;
    this.counts[this.walks + 1] = (this.counts[this.walks + 1] as number) + reads;
  }

  /** The running totals, with what the arrays counted themselves. */
  takeInCounts(): Float64Array {
    for (const { array } of this.arrays) {
      const evictions = array.lookupCounter + 2 * KINDS.length;
      this.counts[evictions] = array.evictions;
      this.counts[evictions + 1] = array.flushed;
    }
    return this.counts;
  }

  validEntries(): Record<string, number> {
    return Object.fromEntries(this.arrays.map(({ name, array }) => [name, array.valid()]));
  }

  digestInto(digest: Digest): void {
    for (const { array } of this.arrays) array.digestInto(digest);
  }
}

const EVERYTHING: TlbOrder = { scope: 'all', asid: 0, startVpn: 0, endVpn: 0 };
