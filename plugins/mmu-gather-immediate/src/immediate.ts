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
 * ARM before commit 06824ba824b3 (February 2011): the page goes back to the allocator as soon as its
 * entry is cleared, and the TLBs are flushed when the gather ends (spec/mmu-gather.md, 4: policy P0).
 * On one CPU of ARMv4 to v6 nothing can happen between the two. On SMP, or where walks are
 * speculative, another CPU still reaches the page through its TLB while the page has a new owner
 * (spec/historical-bugs-tlb.md, B-01). It is here to be seen failing.
 */
export interface ImmediateConfig {
  readonly rangeCeiling: number;
}

export function immediateGather(
  { rangeCeiling }: ImmediateConfig,
  deps: {
    frames: FramesPlugin;
    pageTable: PageTablePlugin;
    cache: CachePlugin;
    shootdown: ShootdownPlugin;
  },
): MmuGatherPlugin {
  const { frames, pageTable, cache, shootdown } = deps;

  /** tlb_end_vma: invalidate what was cleared; its pages are long gone. */
  function* flushMmu(context: ProgramContext, tlb: MmuGather): Routine {
    const { mm, fullmm, startVpn, endVpn } = tlb;
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
      pages: 0,
    } as Note);
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
      yield* frames.free(pfn);
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
