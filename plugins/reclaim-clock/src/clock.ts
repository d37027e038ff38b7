import { lock, order, pageTableLock, readAll, sliceKey, unlock } from '@tablewalk/contracts';
import type {
  Command,
  Component,
  FramesPlugin,
  MmuGatherPlugin,
  PageTablePlugin,
  ProgramContext,
} from '@tablewalk/contracts';
import type { ReclaimPlugin, Routine, View, VocabularyFactOf } from '@tablewalk/contracts';

/**
 * Second chance, the clock (Corbató 1968), with the young bit that ARM Linux keeps in software
 * (spec/page-tables.md, 1.7): the hand passes over the frames; a young page becomes old, its TLB
 * entry stays; an old page is a victim. Victims are unmapped through mmu_gather, one address space
 * at a time, and so freed in the order that the gather's policy has.
 *
 * Not modelled: active and inactive lists, swap space, write-back of dirty pages (counted only).
 */
export interface ClockState {
  /** Frame at which the next search begins, counted from the first frame of RAM. */
  hand: number;
}
const reclaimKey = sliceKey<ClockState>('reclaim');

type ReclaimFact = VocabularyFactOf<'ReclaimScanned' | 'PageReclaimed'>;

const LRU_LOCK = 'lru_lock';

interface Victim {
  readonly mm: number;
  readonly va: number;
  readonly pfn: number;
  readonly dirty: boolean;
}

export function clockReclaim(
  frames: FramesPlugin,
  pageTable: PageTablePlugin,
  gather: MmuGatherPlugin,
): ReclaimPlugin {
  /** The next user page at or after the hand, as [frame, mm, va, pfn], or nothing. */
  const nextUserPage = (view: View, from: number): readonly number[] => {
    for (let i = 0; i < frames.pages; i++) {
      const frame = (from + i) % frames.pages;
      const page = frames.userPage(view, frames.firstPfn + frame);
      if (page !== undefined) return [frame, page.mm, page.va, i + 1];
    }
    return [];
  };

  function* chooseVictims({ cpu }: ProgramContext, wanted: number): Routine<Victim[]> {
    const victims: Victim[] = [];
    const seen = new Set<number>();
    yield* lock(cpu, LRU_LOCK);
    let [hand] = (yield* readAll((view) => [view(reclaimKey).hand])) as [number];
    // Two turns of the clock: the first makes every page old, the second finds them so.
    let scanned = 0;
    while (victims.length < wanted && scanned < 2 * frames.pages) {
      const from = hand;
      const [frame, mm, va, passed] = yield* readAll((view) => nextUserPage(view, from));
      if (frame === undefined || mm === undefined || va === undefined || passed === undefined) break;
      scanned += passed;
      hand = (frame + 1) % frames.pages;
      if (seen.has(frame)) continue;
      yield* lock(cpu, pageTableLock(mm));
      const young = yield* pageTable.clearYoung({ cpu, args: [] }, mm, va);
      const [dirty] = yield* readAll((view) => [Number(pageTable.lookup(view, mm, va)?.dirty ?? false)]);
      yield* unlock(cpu, pageTableLock(mm));
      if (young) continue;
      victims.push({ mm, va, pfn: frames.firstPfn + frame, dirty: dirty === 1 });
      seen.add(frame);
    }
    yield* order(noteScan(hand, scanned, victims.length));
    yield* unlock(cpu, LRU_LOCK);
    return victims;
  }

  return {
    component: clockHand,
    *reclaim(context, wanted) {
      const victims = yield* chooseVictims(context, wanted);
      let freed = 0;
      for (const mm of new Set(victims.map((victim) => victim.mm))) {
        const tlb = yield* gather.begin(context, mm, false);
        for (const victim of victims.filter((each) => each.mm === mm).sort((a, b) => a.va - b.va)) {
          if (!(yield* gather.zapPage(context, tlb, victim.va))) continue;
          yield* order(noteReclaim(victim));
          freed += 1;
        }
        yield* gather.finish(context, tlb);
      }
      return freed;
    },
  };
}

interface NoteScan extends Command {
  readonly type: 'NoteScan';
  readonly hand: number;
  readonly scanned: number;
  readonly chosen: number;
}
interface NoteReclaim extends Command, Victim {
  readonly type: 'NoteReclaim';
}
const noteScan = (hand: number, scanned: number, chosen: number): NoteScan => ({
  to: 'reclaim',
  type: 'NoteScan',
  hand,
  scanned,
  chosen,
});
const noteReclaim = (victim: Victim): NoteReclaim => ({ to: 'reclaim', type: 'NoteReclaim', ...victim });

const clockHand: Component<ClockState, NoteScan | NoteReclaim, ReclaimFact> = {
  evolvesOn: ['ReclaimScanned'],
  initial: () => ({ hand: 0 }),
  decide(command) {
    if (command.type === 'NoteScan') {
      const { hand, scanned, chosen } = command;
      return [{ type: 'ReclaimScanned', hand, scanned, chosen }];
    }
    const { mm, va, pfn, dirty } = command;
    return [{ type: 'PageReclaimed', mm, va, pfn, dirty }];
  },
  evolve(draft, fact) {
    if (fact.type === 'ReclaimScanned') draft.hand = fact.hand;
  },
};
