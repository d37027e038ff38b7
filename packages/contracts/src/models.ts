import { sliceKey } from './component.ts';
import type { AnyComponent, Command, View } from './component.ts';
import type { CacheOperation, FaultKind } from './data-plane.ts';
import type { ProgramContext, Routine } from './program.ts';

/**
 * Architectural facets: what the architecture lets a walker, a TLB or a cache do, for exploration. The exact
 * facet of the same plugin says what one geometry does; a refinement test holds every exact outcome to be
 * one that the model allows.
 */

/** Where a walk reads next: the physical byte address of a descriptor, and what upper levels hand down to it. */
export interface WalkPlace {
  readonly pa: number;
  readonly level: number;
  /** In the format's own bits; 0 where there is nothing to hand down. */
  readonly inherited: number;
}
/** What one descriptor says to the walker. */
export type DescriptorMeaning =
  | ({ readonly kind: 'table' } & WalkPlace)
  /** `flags` are `PageFlag` bits; `pageShift` is log2 of the bytes covered. */
  | { readonly kind: 'page'; readonly pfn: number; readonly pageShift: number; readonly flags: number }
  | { readonly kind: 'fault'; readonly fault: FaultKind; readonly status: number; readonly level: number };

/** The hardware table walk, one descriptor at a time, so that other CPUs may act between two reads. */
export interface WalkSteps {
  /** Bytes of a descriptor: one word of memory, or two that are read at once. */
  readonly wordBytes: 4 | 8;
  /** The first descriptor, or a fault where the registers disable walks for the address. */
  begin(ttbr: number, va: number): DescriptorMeaning;
  /** What the word that was read there says; `hi` is 0 for formats of one word. */
  descend(place: WalkPlace, va: number, lo: number, hi: number): DescriptorMeaning;
  /** Fault status and level of an access that an entry of this size does not permit. */
  permission(pageShift: number): { readonly status: number; readonly level: number };
}

/** A CPU and a virtual address that a story gives the hardware freedom over. */
export interface CpuPage {
  readonly cpu: number;
  readonly va: number;
}

export interface TlbModelParts {
  readonly cpus: number;
  readonly walkSteps: WalkSteps;
  /** Pages that a CPU's walker may walk for at any time, without an access. */
  readonly speculativeWalks: readonly CpuPage[];
  /** Pages whose entry a CPU may lose at any time. */
  readonly evictions: readonly CpuPage[];
}

export type AccessOutcome =
  | { readonly kind: 'done'; readonly pa: number }
  | { readonly kind: 'fault'; readonly fault: FaultKind; readonly status: number; readonly level: number };

export interface TlbModel {
  /** Takes the place of the plugin's own component; same slice name, same commands. */
  readonly component: AnyComponent;
  /**
   * A load or store by the context's CPU, in the address space that its TTBR holds. A hit is one step; a miss is
   * one step a descriptor and one to fill and access. Says with facts: `AccessPerformed`, and before it
   * `StaleTranslationUsed` when a walk of the tables as they are now would not give the frame used; or
   * `AbortTaken`. At PL0 where the page is PL0's, else at PL1. An invalidation that names the page while the
   * walk is under way, or a change of context, starts it again.
   */
  access(context: ProgramContext, va: number, write: boolean): Routine<AccessOutcome>;
  /** The physical addresses that a look-up by this CPU could answer now, ascending; none: a miss. */
  held(view: View, cpu: number, va: number): readonly number[];
}

export interface CacheModelParts {
  readonly cpus: number;
  /** Lines of a page that the model tells apart, at most 64: two stand for the two halves of a loop over all. */
  readonly linesPerPage: number;
  /** Pages (by the address that the cache is tagged with) whose dirty lines a CPU may write back at any time. */
  readonly evictions: readonly CpuPage[];
  /** Pages whose lines a CPU may fetch at any time, without an access. Physically tagged caches only. */
  readonly prefetches?: readonly CpuPage[];
}

/**
 * The lines that a CPU's cache has for certain: dirty ones, and clean ones that a load or a prefetch brought. Any
 * other may be there or not, at the hardware's pleasure: it has what memory has, and nobody can lose it.
 */
export interface CacheModel {
  /** Takes the place of the plugin's own component; same slice name, same commands, and those below besides. */
  readonly component: AnyComponent;
  /** `storeLine`, for whoever holds the model. */
  store(cpu: number, va: number, pa: number): Command;
}

/** A line in a cache, by the addresses of its first byte. */
export interface CacheLine {
  /** The address by which a virtually tagged cache finds it; 0 in a physically tagged one, which knows none. */
  readonly va: number;
  /** Where it came from and will be written back to: fixed, whatever is mapped at `va` later. */
  readonly pa: number;
  dirty: boolean;
  /** A device has written to its memory since. */
  stale: boolean;
}
/** By CPU, in ascending order of the address that the cache is tagged with. */
export type CacheLinesState = CacheLine[][];
export const cacheLinesKey = sliceKey<CacheLinesState>('cache');

export interface AccessLine extends Command {
  readonly cpu: number;
  readonly va: number;
  readonly pa: number;
}
const accessLine = (type: string, cpu: number, va: number, pa: number): AccessLine => ({
  to: 'cache',
  type,
  cpu,
  va,
  pa,
});
/** A store by a CPU, through its cache: the line becomes dirty. For stories; only a cache's model takes it. */
export const storeLine = (cpu: number, va: number, pa: number): AccessLine =>
  accessLine('StoreLine', cpu, va, pa);
/** A load by a CPU, through its cache: it hits, or brings the line. As `storeLine`. */
export const loadLine = (cpu: number, va: number, pa: number): AccessLine =>
  accessLine('LoadLine', cpu, va, pa);

export type MaintainRange = (
  context: ProgramContext,
  operation: CacheOperation,
  va: number,
  pa: number,
  bytes: number,
) => Routine;
