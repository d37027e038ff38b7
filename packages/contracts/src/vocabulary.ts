import { defineFacts } from './facts.ts';
import type { FactsIn } from './facts.ts';

/**
 * Facts that plugins of several slots make or read: the vocabulary of memory management. Facts of
 * one plugin alone are declared in that plugin's component.
 *
 * `va`, `pa` are byte addresses; `vpn`, `pfn` numbers of 4 KiB pages; ranges end before `end`.
 */
export const vocabularyFacts = defineFacts({
  // Physical pages.
  PageAllocated: { pfn: 'u', order: 'u', use: 's', mm: 'u', va: 'u' },
  AllocationFailed: { order: 'u', use: 's' },
  PageFreed: { pfn: 'u', order: 'u' },
  // Page tables, as software sees them.
  PgdAllocated: { mm: 'u', pa: 'u' },
  PgdFreed: { mm: 'u', pa: 'u' },
  /** Three levels: a page of pmds behind a pgd entry (pud_populate, pud_clear). */
  PudPopulated: { mm: 'u', va: 'u', table: 'u' },
  PudCleared: { mm: 'u', va: 'u', table: 'u' },
  /** Two levels, or the last of three: a page of ptes behind a pmd entry. */
  PmdPopulated: { mm: 'u', va: 'u', table: 'u' },
  PmdCleared: { mm: 'u', va: 'u', table: 'u' },
  PteSet: { mm: 'u', va: 'u', pfn: 'u', young: 'b', dirty: 'b', write: 'b' },
  PteCleared: { mm: 'u', va: 'u', pfn: 'u', dirty: 'b' },
  PteYoungCleared: { mm: 'u', va: 'u', pfn: 'u' },
  // Kernel mappings: entries of init_mm, and copies of its first-level words in other tables.
  KernelSectionMapped: { va: 'u', pa: 'u' },
  KernelSectionUnmapped: { va: 'u' },
  KernelPageMapped: { va: 'u', pfn: 'u' },
  KernelPageUnmapped: { va: 'u', pfn: 'u' },
  KernelEntriesCopied: { mm: 'u', va: 'u', words: 'u' },
  // TLB and cache maintenance.
  TlbInvalidated: { cpu: 'u', scope: 's', asid: 'u', startVpn: 'u', endVpn: 'u' },
  /** A barrier that completed earlier maintenance: DSB. */
  BarrierCompleted: { cpu: 'u' },
  CacheMaintained: { cpu: 'u', operation: 's', side: 's', whole: 'b', va: 'u', pa: 'u', bytes: 'u' },
  // What the architectural models of TLB and cache say (exploration only).
  /** A walk begins: its first read is at `pa`. `inherited`: what upper levels hand down, in the format's own bits. */
  WalkStarted: { cpu: 'u', speculative: 'b', va: 'u', asid: 'u', level: 'u', pa: 'u', inherited: 'u' },
  /** A descriptor was read, and points to a table: the next read is at `pa`. */
  WalkDescended: { cpu: 'u', speculative: 'b', level: 'u', pa: 'u', inherited: 'u' },
  /** A descriptor was read, and maps something; the walk waits to be filled. */
  WalkFound: {
    cpu: 'u',
    speculative: 'b',
    global: 'b',
    vpn: 'u',
    pfn: 'u',
    pageShift: 'u',
    write: 'b',
  },
  /** By a descriptor that gives a fault, of which nothing is held, or because what was found is in the TLB now. */
  WalkEnded: { cpu: 'u', speculative: 'b' },
  /** A translation was cached. `global`: for every ASID. `pageShift`: log2 of the bytes it covers. */
  TlbEntryFilled: { cpu: 'u', asid: 'u', global: 'b', vpn: 'u', pfn: 'u', pageShift: 'u', write: 'b' },
  TlbEntryEvicted: { cpu: 'u', asid: 'u', global: 'b', vpn: 'u', pfn: 'u', pageShift: 'u', write: 'b' },
  /** A load, store or fetch reached physical memory (or the cache) at this address. */
  AccessPerformed: { cpu: 'u', mm: 'u', va: 'u', pa: 'u', write: 'b' },
  /** A CPU wrote a line in its cache: `va` and `pa` are of the line's first byte. */
  CacheLineDirtied: { cpu: 'u', va: 'u', pa: 'u' },
  /** A load or a prefetch brought a line into a cache. */
  CacheLineFilled: { cpu: 'u', va: 'u', pa: 'u' },
  /** A dirty line went to memory. */
  CacheLineWrittenBack: { cpu: 'u', va: 'u', pa: 'u' },
  /** A line left the cache without being written back; `meant` is the physical line that the order was for. */
  CacheLineDropped: { cpu: 'u', va: 'u', pa: 'u', dirty: 'b', meant: 'u' },
  /** A load was answered by a line that is older than what a device has written to memory. */
  StaleLineRead: { cpu: 'u', va: 'u', pa: 'u' },
  /** The line that was just written back was such a one: what the device had written is lost. */
  StaleLineWrittenBack: { cpu: 'u', va: 'u', pa: 'u' },
  /** A device wrote to memory, past the caches. */
  DeviceWrote: { pa: 'u', bytes: 'u' },
  // kmap.
  /** A page got a kernel address (page_address), or lost it. */
  KmapSlotMapped: { slot: 'u', pfn: 'u', va: 'u' },
  KmapSlotUnmapped: { slot: 'u', pfn: 'u', va: 'u' },
  // ioremap.
  /** ioremap has made a mapping that its caller may use; iounmap has ended one, its range may be used again. */
  DeviceMapped: { va: 'u', pa: 'u', bytes: 'u' },
  DeviceUnmapped: { va: 'u', pa: 'u', bytes: 'u' },
  // mmu_gather.
  GatherStarted: { cpu: 'u', mm: 'u', fullmm: 'b' },
  GatherFlushed: { cpu: 'u', mm: 'u', startVpn: 'u', endVpn: 'u', pages: 'u' },
  GatherFinished: { cpu: 'u', mm: 'u' },
  // Faults and reclaim.
  FaultHandled: { cpu: 'u', mm: 'u', va: 'u', outcome: 's' },
  PageReclaimed: { mm: 'u', va: 'u', pfn: 'u', dirty: 'b' },
  ReclaimScanned: { hand: 'u', scanned: 'u', chosen: 'u' },
  ProcessKilled: { mm: 'u', va: 'u', reason: 's' },
  // Scheduling.
  SliceStarted: { cpu: 'u', mm: 'u' },
});
export type VocabularyFact = FactsIn<typeof vocabularyFacts>;
export type VocabularyFactOf<Name extends keyof typeof vocabularyFacts> = Extract<
  VocabularyFact,
  { type: Name }
>;
