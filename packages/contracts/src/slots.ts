import type { AnyComponent, Command, View } from './component.ts';
import type { CacheEngine, TlbEngine, TlbScope, Walker } from './data-plane.ts';
import type { Fact } from './facts.ts';
import type { Plugin } from './manifest.ts';
import type { CacheModel, CacheModelParts, MaintainRange, TlbModel, TlbModelParts } from './models.ts';
import type { PageTablePlugin, PgdPlugin } from './page-tables.ts';
import type { ProgramContext, Routine } from './program.ts';
import type { ReplacementPolicy } from './replacement.ts';

/**
 * The places in a machine. Exactly one plugin fills each, but for `checker`, which is a list.
 * Routines are generators whose every `yield` is one globally visible step (see program.ts).
 */
export interface Slots {
  readonly frames: FramesPlugin;
  readonly 'page-table': PageTablePlugin;
  readonly pgd: PgdPlugin;
  readonly replacement: ReplacementPlugin;
  readonly tlb: TlbPlugin;
  readonly cache: CachePlugin;
  readonly asid: AsidPlugin;
  readonly shootdown: ShootdownPlugin;
  readonly 'mmu-gather': MmuGatherPlugin;
  readonly reclaim: ReclaimPlugin;
  readonly mm: MmPlugin;
  readonly 'run-queue': RunQueuePlugin;
  readonly kmap: KmapPlugin;
  readonly dma: DmaPlugin;
  readonly ioremap: IoremapPlugin;
  readonly scheduler: SchedulerPlugin;
  readonly cost: CostPlugin;
  readonly checker: CheckerPlugin;
}
export type SlotName = keyof Slots;

export const SLOTS: Readonly<Record<SlotName, string>> = {
  frames: 'physical page allocator (alloc_pages, free_pages)',
  'page-table': 'page-table format: encoding, hardware walk, routines that change entries',
  pgd: 'life of first-level tables: pgd_alloc, kernel entries that are missing, pgd_free',
  replacement: 'which way of a full set is replaced, in TLBs and caches',
  tlb: 'translation look-aside buffers of every CPU',
  cache: 'L1 caches and outer cache',
  asid: 'what tells address spaces apart in the TLB, and what a context switch does about it',
  shootdown: 'how the TLBs of other CPUs lose a translation',
  'mmu-gather': 'order of clearing entries, invalidating TLBs and freeing pages',
  reclaim: 'which pages are taken back when memory is short',
  mm: 'life of an address space: creation, page faults, exit',
  'run-queue': 'which process runs on which CPU, and how long',
  kmap: 'kernel addresses of highmem pages: kmap, kmap_atomic, page_address',
  dma: 'streaming DMA: what dma_map_page does to the caches',
  ioremap: 'device mappings in vmalloc space, and how they reach the tables of every address space',
  scheduler: 'oracle of the interleaving: which CPU takes the next step',
  cost: 'cycles of a step, relative, with sources',
  checker: 'oracle that watches the facts and reports violations (a list)',
};

/** Physical pages by `pfn`; `order` n means 2^n contiguous pages, naturally aligned, as in Linux. */
export interface FramesPlugin extends Plugin {
  /** One step; answers the first pfn, or undefined when there is no such block. */
  allocate(
    use: FrameUse,
    order: number,
    owner?: { readonly mm: number; readonly va: number },
  ): Routine<number | undefined>;
  free(pfn: number): Routine;
  freePages(view: View): number;
  /** The user page in a frame, if it holds one: the reverse map that reclaim needs. */
  userPage(view: View, pfn: number): { readonly mm: number; readonly va: number } | undefined;
  readonly firstPfn: number;
  readonly pages: number;
  /** The component with the freedom to fail: so many allocations, whichever, though there is memory. */
  model?(parts: { readonly failures: number }): { readonly component: AnyComponent };
}
export type FrameUse = 'user' | 'page-table' | 'kernel';

export interface ReplacementPlugin extends Plugin {
  readonly policy: ReplacementPolicy;
}

export interface TlbPlugin extends Plugin {
  engine(walker: Walker): TlbEngine;
  /** One maintenance operation on one CPU, as one step. */
  invalidate(cpu: number, scope: TlbScope, asid: number, startVpn: number, endVpn: number): Command;
  /** The architectural facet: any valid walk may be cached at any time, any entry may go. */
  model?(parts: TlbModelParts): TlbModel;
}

export interface CachePlugin extends Plugin {
  engine(): CacheEngine;
  /** What switch_mm must do before the new TTBR0 (VIVT: clean and invalidate everything). */
  switchMm(context: ProgramContext): Routine;
  /** flush_cache_page: before a user page's entry is cleared. */
  flushPage(context: ProgramContext, mm: number, va: number, pfn: number): Routine;
  /** Maintenance by virtual address of one range, as one step: a line or many. */
  readonly maintain: MaintainRange;
  /** flush_cache_kmaps: VIVT cleans and invalidates everything; physically tagged caches do nothing. */
  flushKmaps(context: ProgramContext): Routine;
  /** The architectural facet: which lines are dirty, and which may be written back at any time. */
  model?(parts: CacheModelParts): CacheModel;
}

export interface AsidPlugin extends Plugin {
  /** The ASID under which an mm runs. */
  asidOf(view: View, mm: number): number;
  /** The whole of switch_mm and check_context: ends with CONTEXTIDR and TTBR0 written. */
  switchMm(context: ProgramContext, next: number): Routine;
}

export interface ShootdownPlugin extends Plugin {
  /** flush_tlb_range, pages `[startVpn, endVpn)`: when it ends, no CPU can use a translation of the range. */
  flushTlbRange(context: ProgramContext, mm: number, startVpn: number, endVpn: number): Routine;
  /** flush_tlb_mm. */
  flushTlbMm(context: ProgramContext, mm: number): Routine;
  /** flush_tlb_kernel_range: global entries, on every CPU, whatever it runs. Facet `kernel-ranges`. */
  flushTlbKernelRange?(context: ProgramContext, startVpn: number, endVpn: number): Routine;
}

/** A gather in progress. It lives on the stack of the routine that began it, as since Linux 3.0. */
export interface MmuGather {
  readonly mm: number;
  readonly fullmm: boolean;
  startVpn: number;
  endVpn: number;
  /** Pages that have been unmapped and not yet freed. */
  pages: number[];
}

export interface MmuGatherPlugin extends Plugin {
  /** tlb_gather_mmu. */
  begin(context: ProgramContext, mm: number, fullmm: boolean): Routine<MmuGather>;
  /** One turn of zap_pte_range: ptep_get_and_clear, tlb_remove_tlb_entry, tlb_remove_page. True if a page went. */
  zapPage(context: ProgramContext, tlb: MmuGather, va: number): Routine<boolean>;
  /** tlb_finish_mmu. */
  finish(context: ProgramContext, tlb: MmuGather): Routine;
}

export interface ReclaimPlugin extends Plugin {
  /** try_to_free_pages: answers how many pages were freed. */
  reclaim(context: ProgramContext, wanted: number): Routine<number>;
}

/** Brings the programs `fault` (args: mm, va, write, fetch, FaultKind, level) and `exit` (args: mm). */
export interface MmPlugin extends Plugin {
  readonly programs: NonNullable<Plugin['programs']>;
  /** mm_init, before a process first runs. False when there was no memory for it. */
  create(context: ProgramContext, mm: number): Routine<boolean>;
}

/** Brings the program `schedule`: choose the next process for this CPU and switch to it. */
export interface RunQueuePlugin extends Plugin {
  readonly programs: NonNullable<Plugin['programs']>;
  /** References that the process on this CPU may still run before `schedule` is due; 0: now. */
  remaining(view: View, cpu: number): number;
  /** Is there a process that this CPU could take? */
  waiting(view: View, cpu: number): boolean;
}

/**
 * Kernel addresses of highmem pages. `type` is a km_type where the policy has them; the others ignore it.
 * Spec: spec/kmap.md.
 */
export interface KmapPlugin extends Plugin {
  /** kmap or kmap_atomic, whichever the policy is: answers the virtual byte address. */
  map(context: ProgramContext, pfn: number, type: number): Routine<number>;
  /** kunmap(page) or kunmap_atomic(va). */
  unmap(context: ProgramContext, va: number, pfn: number, type: number): Routine;
  /** What DMA may use of a page that is mapped: its address, pinned where the policy pins (kmap_high_get). */
  highGet(context: ProgramContext, pfn: number): Routine<number | undefined>;
  /** Ends what `highGet` began (kunmap_high, where the policy pins). */
  highPut(context: ProgramContext, pfn: number): Routine;
  /** page_address: the present address of a page, if it has one. */
  pageAddress(view: View, pfn: number): number | undefined;
  /** The page that an access through `va` reaches now, whoever mapped it; undefined: none. */
  pfnAt(view: View, va: number): number | undefined;
}

export type DmaDirection = 'to-device' | 'from-device' | 'bidirectional';
/** Streaming DMA (spec/caches-and-dma.md, 4): who owns the page, CPU or device. */
export interface DmaPlugin extends Plugin {
  /** dma_map_page: from here on the device owns the page. */
  mapPage(context: ProgramContext, pfn: number, direction: DmaDirection): Routine;
  /** dma_unmap_page: the CPU owns it again. */
  unmapPage(context: ProgramContext, pfn: number, direction: DmaDirection): Routine;
}

/** Device mappings in vmalloc space (spec/ioremap.md). */
export interface IoremapPlugin extends Plugin {
  /** switch_mm keeps IRQs off from `checkVmallocSeq` to the load of TTBR0. Default: it does not. */
  readonly switchMasksIrqs?: boolean;
  /** ioremap: answers the virtual byte address; undefined when there is no room. */
  ioremap(context: ProgramContext, pa: number, bytes: number): Routine<number | undefined>;
  iounmap(context: ProgramContext, va: number): Routine;
  /** switch_mm's part, before TTBR0 is loaded: bring the kernel entries of `mm` up to date, where the policy does. */
  checkVmallocSeq(context: ProgramContext, mm: number): Routine;
  /** The device (its physical byte address) that a virtual address should lead to now; undefined: none. */
  deviceAt(view: View, va: number): number | undefined;
}

/** One thing that could happen next. */
export interface Alternative {
  /**
   * `step`: the CPU's kernel routine takes its next step; `user`: its process runs; `ipi`: a pending IPI is taken;
   * `task`: a task takes its next step, in place of the one that ran if need be; `action`: a component's action.
   */
  kind: 'step' | 'user' | 'ipi' | 'task' | 'action';
  /** -1 for an action. */
  cpu: number;
  /** Number of the task or of the action. */
  which?: number;
  /** The earliest time at which it can happen, in cycles. */
  time: number;
}

/** What a scheduler may know beside the alternatives; it keeps no state of its own. */
export interface Turn {
  /** The CPU that took the last step; -1 at the beginning. */
  readonly lastCpu: number;
  /** Draws from the run's seed. */
  below(bound: number): number;
}

export interface SchedulerPlugin extends Plugin {
  /** Index into `enabled`, which is not empty; undefined: ask outside, and record the answer as a stimulus. */
  choose(enabled: readonly Alternative[], turn: Turn): number | undefined;
  /** How many references the chosen process may run before the next choice; at least 1. */
  budget(chosen: Alternative, enabled: readonly Alternative[], turn: Turn): number;
  /** What to answer when `choose` asks outside, for callers that have nobody to ask: by number of the choice. */
  readonly script?: readonly number[];
}

export interface CostPlugin extends Plugin {
  /** Cycles of a fact, on the CPU that caused it. */
  cyclesOf(fact: Fact): number;
  /** Cycles of one count of each counter, in the order of the names. */
  weights(counterNames: readonly string[]): Float64Array;
  /** Cycles between sending an IPI and the earliest moment at which the target can take it. */
  readonly ipiDeliveryCycles: number;
}

export interface CheckerPlugin extends Plugin {
  readonly component: NonNullable<Plugin['component']>;
}
