import type { WalkResult } from '@tablewalk/contracts';
import type { Arena } from './arena.ts';
import { mixOutcome } from './cache-counters.ts';
import { invalidateEntries } from './tlb-maintenance.ts';
import { tlbGeometry, tlbStructures } from './tlb-spec.ts';
import type { TlbSpec } from './tlb-spec.ts';
import { holderWord, TlbStructure } from './tlb-structure.ts';

const KINDS = ['I', 'L', 'S', 'M'];
/** Counters of a structure, from its first: lookups by kind, misses by kind, these two. After all: the walks'. */
const MISSES = 4;
const EVICTIONS = 8;
const FLUSHED = 9;
const PER_STRUCTURE = 10;

/** Where the counters of structure `s` lie: of lookups and misses those of kind 0. */
export const structureCounters = (s: number) => ({
  lookups: s * PER_STRUCTURE,
  misses: s * PER_STRUCTURE + MISSES,
  evictions: s * PER_STRUCTURE + EVICTIONS,
});

/** Of the CPU's walks, behind those of its structures; then of the descriptors that they read. */
export const walkCounters = (structures: number): number => structures * PER_STRUCTURE;

/** The last page that a structure translated, of 4 KiB: while it is used again, nothing else is looked at. */
export interface LastPages {
  readonly page: Int32Array;
  readonly vaHi: Int32Array;
  readonly allowed: Int32Array;
  readonly paLo: Int32Array;
  readonly paHi: Int32Array;
  /** The entry, while nothing else of the structure has been used; -1: not known. */
  readonly slot: Int32Array;
}

/** The TLBs of one CPU with their counters. */
export class TlbCpu {
  readonly names: readonly string[];
  readonly counterNames: readonly string[];
  readonly counters: Float64Array;
  /** First level, then the second if there is one. */
  readonly structures: readonly TlbStructure[];
  readonly second: number;
  readonly byKind: Uint8Array;
  readonly last: LastPages;
  /** Entries that were ever asked to be watched: while 0, nobody looks for them. */
  watched = 0;
  readonly outcome: Int32Array;
  /** ASID and TTBR of the last access; -1 before the first. */
  private readonly context: Float64Array;

  constructor(
    arena: Arena,
    private readonly spec: TlbSpec,
  ) {
    const { structures, byKind } = tlbStructures(spec);
    this.structures = structures.map(({ name, spec: one }) => {
      return new TlbStructure(arena, name, tlbGeometry(name, one), one.replacement, spec.seed);
    });
    this.second = spec.second === undefined ? -1 : structures.length - 1;
    this.byKind = Uint8Array.from(byKind);
    this.names = structures.map(({ name }) => name);
    this.counterNames = [
      ...this.names.flatMap((name) => [
        ...KINDS.map((kind) => `${name}.lookups::${kind}`),
        ...KINDS.map((kind) => `${name}.misses::${kind}`),
        `${name}.evictions`,
        `${name}.flushed`,
      ]),
      'tlb.walks',
      'tlb.walkReads',
    ];
    this.counters = arena.float64(this.counterNames.length);
    this.outcome = arena.int32(1);
    this.context = arena.float64(2).fill(-1);
    const column = (): Int32Array => new Int32Array(structures.length).fill(-1);
    this.last = {
      page: column(),
      vaHi: column(),
      allowed: column(),
      paLo: column(),
      paHi: column(),
      slot: column(),
    };
  }

  /** Before the accesses of a context: what a change of CONTEXTIDR or TTBR0 does. */
  enter(asid: number, ttbr: number): void {
    this.last.page.fill(-1);
    if (this.context[0] === asid && this.context[1] === ttbr) return;
    if (this.spec.microFlush === true && this.context[0] !== -1) this.flushFirstLevel();
    this.context[0] = asid;
    this.context[1] = ttbr;
  }

  /** Makes the page of an address the last of structure `s`, if an entry there allows the access. */
  turnTo(s: number, kind: number, lo: number, hi: number, asid: number): boolean {
    const structure = this.structures[s] as TlbStructure;
    const slot = structure.find((hi << 20) | (lo >>> 12), holderWord(asid, hi));
    if (slot < 0 || (((structure.allowed[slot] as number) >>> kind) & 1) === 0) return false;
    structure.touch(slot);
    this.noteLast(s, slot, lo, hi);
    return true;
  }

  /** Entry `slot` of structure `s` has translated an address: its page of 4 KiB is the last. */
  noteLast(s: number, slot: number, lo: number, hi: number): void {
    const structure = this.structures[s] as TlbStructure;
    const shift = structure.pageShift[slot] as number;
    const inside = shift > 31 ? lo : lo & ((1 << shift) - 1);
    const { last } = this;
    last.page[s] = lo >>> 12;
    last.slot[s] = slot;
    last.vaHi[s] = hi;
    last.allowed[s] = structure.allowed[slot] as number;
    last.paLo[s] = ((structure.paLo[slot] as number) | inside) & ~0xfff;
    last.paHi[s] = (structure.paHi[slot] as number) | (shift > 32 ? hi & ((1 << (shift - 32)) - 1) : 0);
  }

  flushFirstLevel(): number {
    let count = 0;
    for (let s = 0; s < this.second; s++)
      count += this.flushed(s, invalidateEntries(this.structures[s] as TlbStructure));
    return count;
  }

  /** Adds to `flushed`; answers its argument. */
  flushed(s: number, count: number): number {
    (this.counters[s * PER_STRUCTURE + FLUSHED] as number) += count;
    return count;
  }

  countLookups(s: number, kind: number, count: number): void {
    (this.counters[s * PER_STRUCTURE + kind] as number) += count;
  }

  countMiss(s: number, kind: number, vpn: number): void {
    (this.counters[s * PER_STRUCTURE + MISSES + kind] as number) += 1;
    this.note(vpn + s + kind);
  }

  countFill(s: number): void {
    if (!(this.structures[s] as TlbStructure).evicted) return;
    (this.counters[s * PER_STRUCTURE + EVICTIONS] as number) += 1;
  }

  countWalk(found: WalkResult): void {
    const walks = walkCounters(this.structures.length);
    (this.counters[walks] as number) += 1;
    (this.counters[walks + 1] as number) += found.reads;
  }

  note(event: number): void {
    this.outcome[0] = mixOutcome(this.outcome[0] as number, event);
  }

  outcomeWord(): number {
    return (this.outcome[0] as number) >>> 0;
  }
}
