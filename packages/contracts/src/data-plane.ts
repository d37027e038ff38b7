import type { AccessBatch, TranslatedBatch } from './access-batch.ts';
import type { Fact } from './facts.ts';

/**
 * The data plane: accesses by the million, in loops over typed arrays ("arenas"), with no object and
 * no closure call per access. A batch runs until something needs the control plane: a trap.
 *
 * A machine runs a batch in two stages. The TLB stage turns references into translated pieces (and
 * calls the walker at a miss); the cache stage consumes them. Each stage is one loop of one plugin.
 */

/** Reads one naturally aligned 32-bit little-endian word of simulated physical memory. */
export interface WordReader {
  read32(pa: number): number;
  /** Changes whenever a word may have changed. Absent: nothing is known. */
  readonly version?: number;
}

/** Permissions and properties of a translation, as bits. `write`: of PL0 where `user` is set, else of PL1. */
export const PageFlag = { write: 1, execute: 2, user: 4, global: 8 } as const;

/** What a walk found. One object is reused for every walk. */
export interface WalkResult {
  /** 0: a translation was found; else the fault status as the format encodes it (short: FS[10,3:0]). */
  status: number;
  fault: FaultKind;
  /** Level of the last descriptor read, 1 to 3; 0 when the walk read nothing. */
  level: number;
  /** Physical address of the page's (or section's) first byte, divided by 4096. */
  pfn: number;
  /** log2 of the bytes covered: 12 page, 16 large page, 20 section, 24 supersection, 21 and 30 LPAE blocks. */
  pageShift: number;
  /** `PageFlag` bits. */
  flags: number;
  /** Descriptors read, and their physical byte addresses and sizes. */
  reads: number;
  readonly readPa: Float64Array;
  readBytes: number;
}

export const FaultKind = { none: 0, translation: 1, accessFlag: 2, domain: 3, permission: 4 } as const;
export type FaultKind = (typeof FaultKind)[keyof typeof FaultKind];

export function walkResult(): WalkResult {
  return {
    status: 0,
    fault: FaultKind.none,
    level: 0,
    pfn: 0,
    pageShift: 12,
    flags: 0,
    reads: 0,
    readPa: new Float64Array(4),
    readBytes: 4,
  };
}

/** The page-table format's data-plane facet: a hardware table walk from arrays. */
export interface Walker {
  /** `ttbr`: physical byte address of the first-level table, as the CPU's TTBR0 holds it. */
  walk(ttbr: number, vaLo: number, vaHi: number, result: WalkResult): void;
  /** Fault status of a permission fault at this level, as the format encodes it. */
  permissionStatus(level: number): number;
  /** While it stays, a walk finds what it found before. Absent: only until the loop over a batch ends. */
  readonly version?: number | undefined;
}

/** Why a batch stopped before its end. */
export const TrapKind = { none: 0, fault: 1, watched: 2 } as const;
export type TrapKind = (typeof TrapKind)[keyof typeof TrapKind];

export interface Trap {
  kind: TrapKind;
  fault: FaultKind;
  status: number;
  level: number;
  vaLo: number;
  vaHi: number;
  /** The frame that a watched (stale) translation led to. */
  pfn: number;
  write: boolean;
  fetch: boolean;
}

/** A trap register in which nothing has happened yet; engines use one for all their traps. */
export const newTrap = (): Trap => ({
  kind: TrapKind.none,
  fault: FaultKind.none,
  status: 0,
  level: 0,
  vaLo: 0,
  vaHi: 0,
  pfn: 0,
  write: false,
  fetch: false,
});

/** What a CPU translates with: what CONTEXTIDR and TTBR0 hold. */
export interface TranslationContext {
  asid: number;
  ttbr: number;
}

export type TlbScope = 'all' | 'asid' | 'va' | 'va-all-asids';

/** Virtual range in pages of 4 KiB, `[startVpn, endVpn)`; used by the two `va` scopes only. */
export interface TlbOrder {
  readonly scope: TlbScope;
  readonly asid: number;
  readonly startVpn: number;
  readonly endVpn: number;
}

/** Both stages of a machine in one: the same results as `TlbEngine.translate` and `CacheEngine.run` in turns. */
export interface DataLoop {
  /** As `DataPlane.run`; the trap is the TLB engine's. */
  run(cpu: number, context: TranslationContext, batch: AccessBatch, from: number, to: number): number;
}

/** A copy of all state of an engine, for a checkpoint: columns, whose order and meaning are the engine's own. */
export type ArenaColumn = Int32Array | Uint8Array | Float64Array;
export type ArenaImage = readonly ArenaColumn[];

/** An engine whose state can be copied and put back. Without it a machine has no checkpoints of its arenas. */
export interface Saved {
  /** Undefined where the state cannot be copied. */
  save?(): ArenaImage | undefined;
  /** Puts back what an engine of the same machine saved; from here on both answer alike. */
  load?(image: ArenaImage): void;
}

/** The exact facet of a TLB plugin: the TLBs of all CPUs of one machine. */
export interface TlbEngine extends Saved {
  /**
   * Translates accesses `[from, to)` of a batch, appending pieces to `out`, until the end, until a
   * trap (see `trap`; the access that trapped has no pieces in `out`, its walk reads excepted), or
   * until `out` could not hold another access. Returns the index of the first access not translated.
   */
  translate(
    cpu: number,
    context: TranslationContext,
    batch: AccessBatch,
    from: number,
    to: number,
    out: TranslatedBatch,
  ): number;
  readonly trap: Trap;
  /** The fast facet: a loop made for these caches; undefined where it cannot be made. Without it both take turns. */
  fuse?(cache: CacheEngine): DataLoop | undefined;
  /** Invalidates what the order names; returns how many valid entries went. */
  invalidate(cpu: number, order: TlbOrder): number;
  /**
   * Asks to be told at the first use of entries that translate this page (their table entry has
   * changed): the next access through one traps with `TrapKind.watched`, and runs normally when
   * retried. Costs nothing on the path of a hit. Returns how many entries are now watched.
   */
  watch(cpu: number, asid: number, vpn: number): number;
  /** As `watch`, for every entry on the CPU that leads into this frame. */
  watchFrame(cpu: number, pfn: number): number;
  /** Valid entries now, by structure; names as in `counterNames` without the counter part. */
  validEntries(cpu: number): Readonly<Record<string, number>>;
  /** Running totals of one CPU, in the order of `counterNames`. The array is live: copy to keep. */
  counters(cpu: number): Float64Array;
  readonly counterNames: readonly string[];
  /** A word that depends on every miss, eviction and invalidation of this CPU so far. */
  outcomeWord(cpu: number): number;
  /** Digest of all entries and replacement state. */
  digest(): string;
}

/** `lines`: cache lines by address range; the address kind is the cache's own (VIVT: va, else pa). */
export type CacheOperation = 'clean' | 'invalidate' | 'clean-invalidate';
export interface CacheOrder {
  readonly operation: CacheOperation;
  readonly side: 'data' | 'instruction' | 'both';
  /** Absent: the whole cache. Otherwise bytes `[start, end)` by virtual and physical address alike. */
  readonly range?: { readonly va: number; readonly pa: number; readonly bytes: number };
}

/** The exact facet of a cache plugin: the hierarchy of all CPUs of one machine. */
export interface CacheEngine extends Saved {
  /** Runs every piece of `batch`; caches never trap. */
  run(cpu: number, batch: TranslatedBatch): void;
  /** Returns lines written back and lines dropped, in this order. */
  maintain(cpu: number, order: CacheOrder): readonly [cleaned: number, invalidated: number];
  counters(cpu: number): Float64Array;
  readonly counterNames: readonly string[];
  outcomeWord(cpu: number): number;
  digest(): string;
}

/** What one access did: counters as pairs of number and increase. */
export interface AccessEffects {
  /** Why it did not retire; its kind is `none` when it did. */
  readonly trap: Readonly<Trap>;
  /** What the TLB stage counted. */
  readonly tlb: readonly number[];
  /** What went to the caches, in its order, and what each counted there. */
  readonly pieces: readonly PieceEffects[];
}
export interface PieceEffects {
  /** An AccessKind; `walk` for a read of a descriptor. */
  readonly kind: number;
  readonly va: number;
  readonly pa: number;
  readonly size: number;
  /** Empty where the piece is counted with the piece before it. */
  readonly counters: readonly number[];
}

/** The whole data plane of a machine, as the machine loop sees it. */
export interface DataPlane extends Saved {
  /** Runs one access as `run` does, and tells what each of its pieces did. */
  inspect?(cpu: number, context: TranslationContext, batch: AccessBatch, access: number): AccessEffects;
  /**
   * Runs accesses `[from, to)`; answers the index of the first access that has not retired. When that
   * is below `to`, `trap` says why.
   */
  run(cpu: number, context: TranslationContext, batch: AccessBatch, from: number, to: number): number;
  readonly trap: Trap;
  readonly counterNames: readonly string[];
  /** What the CPU's counters have grown by since the last call, as pairs of number and increase. */
  takeCounters(cpu: number): readonly number[];
  outcomeWord(cpu: number): number;
  /** What a fact means to the arenas: maintenance, words of memory, translations that became stale. */
  apply(fact: Fact): void;
  validEntries(cpu: number): Readonly<Record<string, number>>;
  digest(): string;
}
