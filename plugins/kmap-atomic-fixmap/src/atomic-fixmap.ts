import { assert } from '@tablewalk/base';
import { order, preemptDisable, preemptEnable, sliceKey } from '@tablewalk/contracts';
import type {
  CachePlugin,
  Command,
  Component,
  KmapPlugin,
  ProgramContext,
  Routine,
  TlbPlugin,
  VocabularyFactOf,
} from '@tablewalk/contracts';

export interface AtomicFixmapConfig {
  readonly types: number;
  readonly base: number;
  readonly disablePreemption: boolean;
  readonly debugHighmem: boolean;
}

/** The page that each entry maps, by slot, in use or not. */
export type FixmapState = Record<number, number>;
export const fixmapKey = sliceKey<FixmapState>('kmap');

/**
 * kmap_atomic, first generation (up to 2.6.36; spec/kmap.md, 4 and 4.1): the caller names a km_type, and the slot
 * is `type + KM_TYPE_NR * cpu`. Nothing checks that the slot is free: whoever uses a type owns it because
 * nobody else can run on this CPU, so the section must not be preempted and must not sleep. It never waits and
 * needs no lock and no other CPU: the TLB flush is local.
 *
 * Unmap leaves the old entry in place, which is why the TLB is flushed at map; with CONFIG_DEBUG_HIGHMEM it is
 * cleared and flushed at once.
 */
export function kmapAtomicFixmap(
  { types, base, disablePreemption, debugHighmem }: AtomicFixmapConfig,
  cpus: number,
  cache: CachePlugin,
  tlb: TlbPlugin,
): KmapPlugin {
  const slotOf = (cpu: number, type: number): number => {
    assert(type >= 0 && type < types, `km_type ${type} is not below KM_TYPE_NR (${types})`);
    return type + types * cpu;
  };
  const vaOf = (slot: number): number => base + slot * 4096;
  const flushLocal = (cpu: number, va: number): Routine =>
    order(tlb.invalidate(cpu, 'va-all-asids', 0, va / 4096, va / 4096 + 1));
  /** preempt_count belongs to tasks: a handler has none, and nothing preempts it. */
  const counts = ({ task }: ProgramContext): boolean => disablePreemption && task !== undefined;

  return {
    component: fixmap(types * cpus, debugHighmem),
    *map(context, pfn, type): Routine<number> {
      const { cpu } = context;
      const slot = slotOf(cpu, type);
      const va = vaOf(slot);
      if (counts(context)) yield* preemptDisable(context); // pagefault_disable
      yield* order(fixmapOrder('SetEntry', slot, pfn, va)); // set_pte_ext
      yield* flushLocal(cpu, va);
      return va;
    },
    *unmap(context, va, pfn, type): Routine {
      yield* cache.flushPage(context, 0, va, pfn); // VIVT: dirty lines must not outlive the mapping
      yield* order(fixmapOrder('LeaveEntry', slotOf(context.cpu, type), pfn, va));
      if (debugHighmem) yield* flushLocal(context.cpu, va);
      if (counts(context)) yield* preemptEnable(context);
    },
    // page_address of a page that only kmap_atomic has mapped is 0, so DMA finds nothing to pin.
    *highGet() {
      return undefined;
    },
    *highPut() {},
    pageAddress: () => undefined,
    pfnAt: (view, va) => view(fixmapKey)[Math.floor((va - base) / 4096)],
  };
}

interface FixmapCommand extends Command {
  readonly type: 'SetEntry' | 'LeaveEntry';
  readonly slot: number;
  readonly pfn: number;
  readonly va: number;
}
const fixmapOrder = (type: FixmapCommand['type'], slot: number, pfn: number, va: number): FixmapCommand => ({
  to: 'kmap',
  type,
  slot,
  pfn,
  va,
});

type FixmapFact = VocabularyFactOf<'KmapSlotMapped' | 'KmapSlotUnmapped'>;
/** Whoever leaves a slot says which page it thinks is there. */
const fixmap = (
  slots: number,
  clearsEntries: boolean,
): Component<FixmapState, FixmapCommand, FixmapFact> => ({
  evolvesOn: ['KmapSlotMapped', 'KmapSlotUnmapped'],
  initial: () => ({}),
  decide: ({ type, slot, pfn, va }) => [
    { type: type === 'SetEntry' ? 'KmapSlotMapped' : 'KmapSlotUnmapped', slot, pfn, va },
  ],
  evolve(draft, { type, slot, pfn }) {
    if (slot >= slots) return;
    if (type === 'KmapSlotMapped') draft[slot] = pfn;
    else if (clearsEntries) delete draft[slot];
  },
});
