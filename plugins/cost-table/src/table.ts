import type { CostPlugin, Fact, VocabularyFactOf } from '@tablewalk/contracts';

/**
 * Cycles by name. They are relative, for a Cortex-A9-like core: spec/tlb-and-shootdown.md, 8, which
 * tells of each number whether anybody measured it. We claim behaviour and counts, never cycle accuracy.
 */
export type CostName =
  | 'hit'
  | 'mainTlbHit'
  | 'walkRead'
  | 'l1Miss'
  | 'l2Miss'
  | 'writeBack'
  | 'step'
  | 'abort'
  | 'contextSwitch'
  | 'tlbOperation'
  | 'barrier'
  | 'ipiSend'
  | 'ipiDelivery'
  | 'ipiEntry'
  | 'ipiAcknowledge'
  | 'allocatePage'
  | 'cacheLine';
export type CostTable = Readonly<Record<CostName, number>>;

/** Default cycles, each with its source. */
export const COSTS: Readonly<Record<CostName, readonly [cycles: number, source: string]>> = {
  hit: [1, 'Cortex-A9 TRM DDI 0388I 6.2: micro-TLB hit in one cycle; L1 pipelined'],
  mainTlbHit: [8, 'spec/tlb-and-shootdown.md 8: default, unverified'],
  walkRead: [4, 'spec/tlb-and-shootdown.md 8: walk level with the table line in L1, unverified'],
  l1Miss: [25, 'spec/tlb-and-shootdown.md 8: line from L2, unverified'],
  l2Miss: [120, 'spec/tlb-and-shootdown.md 8: line from DRAM, unverified'],
  writeBack: [4, 'chosen: a write buffer hides most of it; unverified'],
  step: [10, 'chosen: a few instructions of kernel code; unverified'],
  abort: [600, 'spec/tlb-and-shootdown.md 8: as the entry and exit of an interrupt; unverified'],
  contextSwitch: [230, 'spec/tlb-and-shootdown.md 8: switch with ASID change, unverified'],
  tlbOperation: [4, 'spec/tlb-and-shootdown.md 8: one local TLBI, unverified'],
  barrier: [100, 'spec/tlb-and-shootdown.md 8: DSB after broadcast, 80 + 20 for each remote CPU, unverified'],
  ipiSend: [150, 'spec/tlb-and-shootdown.md 8: for each target, serial on the initiator, unverified'],
  ipiDelivery: [700, 'spec/tlb-and-shootdown.md 8: latency until the target can take it, unverified'],
  ipiEntry: [600, 'spec/tlb-and-shootdown.md 8: handler entry and exit, stolen from the target, unverified'],
  ipiAcknowledge: [100, 'spec/tlb-and-shootdown.md 8: until the initiator sees it, unverified'],
  allocatePage: [60, 'spec/tlb-and-shootdown.md 8: allocator, one page, unverified'],
  cacheLine: [4, 'chosen: one maintenance operation by line; unverified'],
};

export function tableCost(table: CostTable): CostPlugin {
  const byType: Readonly<Record<string, (fact: Fact) => number>> = {
    StepTaken: () => table.step,
    AbortTaken: () => table.abort,
    ContextSwitched: () => table.contextSwitch,
    TlbInvalidated(fact) {
      const { scope, startVpn, endVpn } = fact as VocabularyFactOf<'TlbInvalidated'>;
      return table.tlbOperation * (scope.startsWith('va') ? Math.max(1, endVpn - startVpn) : 1);
    },
    BarrierCompleted: () => table.barrier,
    IpiSent: () => table.ipiSend,
    IpiDelivered: () => table.ipiEntry,
    IpiAcknowledged: () => table.ipiAcknowledge,
    PageAllocated: () => table.allocatePage,
    PageFreed: () => table.allocatePage,
    CacheMaintained: (fact) => table.cacheLine * ((fact as VocabularyFactOf<'CacheMaintained'>).bytes / 32),
  };
  return {
    ipiDeliveryCycles: table.ipiDelivery,
    cyclesOf: (fact) => byType[fact.type]?.(fact) ?? 0,
    weights: (names) => Float64Array.from(names, (name) => weight(table, name)),
  };
}

/** Cycles of one count of a data plane counter, by its dotted name. */
function weight(table: CostTable, name: string): number {
  if (/^(icache|dcache|cache)\.accesses::/.test(name)) return table.hit;
  if (/^(icache|dcache|cache)\.misses::/.test(name)) return table.l1Miss;
  if (name.startsWith('l2cache.misses::') && !name.endsWith('::W')) return table.l2Miss;
  if (/cache\.writebacks$/.test(name)) return table.writeBack;
  if (name.startsWith('l2tlb.lookups::')) return table.mainTlbHit;
  if (name === 'tlb.walkReads') return table.walkRead;
  return 0;
}
