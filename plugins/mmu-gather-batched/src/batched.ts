import { lock, order, pageTableLock, readMaybe, unlock } from '@tablewalk/contracts';
import type {
  CachePlugin,
  Command,
  Component,
  FramesPlugin,
  MmuGather,
  MmuGatherPlugin,
} from '@tablewalk/contracts';
import type {
  PageTablePlugin,
  ProgramContext,
  Routine,
  ShootdownPlugin,
  VocabularyFactOf,
} from '@tablewalk/contracts';

/**
 * The one rule (spec/mmu-gather.md, 1): unhook the entry, invalidate every cached copy of the
 * translation, free the page. Pages wait in the gather until the flush: `bundle` of them, as the local
 * array of arch/arm/include/asm/tlb.h since commit d16dfc550f53 (3.0); then flush and free, and go on.
 *
 * A range of more than `rangeCeiling` pages is flushed as the whole mm. ARM has no such ceiling; see
 * DEVIATIONS.md.
 */
export interface BatchedConfig {
  readonly bundle: number;
  readonly rangeCeiling: number;
}

export function batchedGather(
  { bundle, rangeCeiling }: BatchedConfig,
  deps: {
    frames: FramesPlugin;
    pageTable: PageTablePlugin;
    cache: CachePlugin;
    shootdown: ShootdownPlugin;
  },
): MmuGatherPlugin {
  const { frames, pageTable, cache, shootdown } = deps;

  /** tlb_flush_mmu: invalidate what was cleared so far, then free what waited for that. */
  function* flushMmu(context: ProgramContext, tlb: MmuGather): Routine {
    const { mm, fullmm, startVpn, endVpn, pages } = tlb;
    if (endVpn === 0) return;
    if (fullmm || endVpn - startVpn > rangeCeiling) yield* shootdown.flushTlbMm(context, mm);
    else yield* shootdown.flushTlbRange(context, mm, startVpn, endVpn);
    yield* order({
      to: 'mmu-gather',
      type: 'NoteFlush',
      cpu: context.cpu,
      mm,
      startVpn,
      endVpn,
      pages: pages.length,
    } as Note);
    for (const pfn of pages) yield* frames.free(pfn);
    tlb.pages = [];
    tlb.startVpn = Number.MAX_SAFE_INTEGER;
    tlb.endVpn = 0;
  }

  return {
    component: gatherNotes,
    *begin({ cpu }, mm, fullmm) {
      yield* order({ to: 'mmu-gather', type: 'NoteStart', cpu, mm, fullmm } as Note);
      return { mm, fullmm, startVpn: Number.MAX_SAFE_INTEGER, endVpn: 0, pages: [] };
    },
    *zapPage(context, tlb, va) {
      const { cpu } = context;
      yield* lock(cpu, pageTableLock(tlb.mm));
      const pfn = yield* readMaybe((view) => pageTable.lookup(view, tlb.mm, va)?.pfn, 'page mapped');
      if (pfn === undefined) {
        yield* unlock(cpu, pageTableLock(tlb.mm));
        return false;
      }
      yield* cache.flushPage(context, tlb.mm, va, pfn);
      yield* pageTable.clearPte(context, tlb.mm, va);
      yield* unlock(cpu, pageTableLock(tlb.mm));
      tlb.startVpn = Math.min(tlb.startVpn, va / 4096);
      tlb.endVpn = Math.max(tlb.endVpn, va / 4096 + 1);
      tlb.pages.push(pfn);
      if (tlb.pages.length >= bundle) yield* flushMmu(context, tlb);
      return true;
    },
    *finish(context, tlb) {
      yield* flushMmu(context, tlb);
      yield* order({ to: 'mmu-gather', type: 'NoteFinish', cpu: context.cpu, mm: tlb.mm } as Note);
    },
  };
}

type Note = Command & {
  cpu: number;
  mm: number;
  fullmm: boolean;
  startVpn: number;
  endVpn: number;
  pages: number;
};
type GatherFact = VocabularyFactOf<'GatherStarted' | 'GatherFlushed' | 'GatherFinished'>;

/** The gather itself lives on the routine's stack; what it did is told by facts. */
const gatherNotes: Component<Record<string, never>, Note, GatherFact> = {
  evolvesOn: [],
  initial: () => ({}),
  decide({ type, cpu, mm, fullmm, startVpn, endVpn, pages }) {
    if (type === 'NoteStart') return [{ type: 'GatherStarted', cpu, mm, fullmm }];
    if (type === 'NoteFlush') return [{ type: 'GatherFlushed', cpu, mm, startVpn, endVpn, pages }];
    return [{ type: 'GatherFinished', cpu, mm }];
  },
  evolve() {},
};
