import { assert, present } from '@tablewalk/base';
import { defineFacts, sliceKey } from '@tablewalk/contracts';
import type { Command, Component, FactsIn, VocabularyFactOf } from '@tablewalk/contracts';

/**
 * What kmap_lock protects (mm/highmem.c; spec/kmap.md, 2.1), as slice `kmap`.
 *
 * 1. `counts[i]` is 0: free, and flushed from every TLB since it was last used. 1: no user, still mapped.
 *    n from 2 on: n - 1 users.
 * 2. `pages[i]` is what the entry maps, as page -> address is not kept beside it: a page is in at most one
 *    slot (K2). It is NONE exactly where the count is 0 (K1).
 */
export interface PkmapState {
  /** pkmap_count. */
  readonly counts: number[];
  /** pkmap_page_table, as page frame numbers. */
  readonly pages: number[];
  /** last_pkmap_nr: the next-fit cursor. */
  last: number;
  /** Tasks on pkmap_map_wait. */
  waiters: number;
}
export const pkmapKey = sliceKey<PkmapState>('kmap');
export const NONE = -1;

export const pkmapFacts = defineFacts({
  PkmapCursorMoved: { cpu: 'u', last: 'u', count: 'u' },
  /** A slot has one user more, or one less; `count` is the new one. `wakes`: somebody waits for a slot. */
  PkmapTaken: { cpu: 'u', slot: 'u', count: 'u' },
  PkmapReleased: { cpu: 'u', slot: 'u', count: 'u', wakes: 'b' },
  PkmapWaitStarted: { cpu: 'u' },
  PkmapWaitEnded: { cpu: 'u' },
});
type OwnFact = FactsIn<typeof pkmapFacts>;
export type PkmapFactOf<Name extends OwnFact['type']> = Extract<OwnFact, { type: Name }>;
type PkmapFact = OwnFact | VocabularyFactOf<'KmapSlotMapped' | 'KmapSlotUnmapped'>;

export interface PkmapCommand extends Command {
  readonly type:
    'AdvanceCursor' | 'MapSlot' | 'UnmapSlot' | 'TakeSlot' | 'ReleaseSlot' | 'BeginWait' | 'EndWait';
  readonly cpu: number;
  readonly slot: number;
  readonly pfn: number;
}
export const pkmapCommand = (
  type: PkmapCommand['type'],
  cpu: number,
  { slot = 0, pfn = 0 } = {},
): PkmapCommand => ({ to: 'kmap', type, cpu, slot, pfn });

/** The component; who orders has kmap_lock. */
export const pkmapTable = (
  slots: number,
  vaOf: (slot: number) => number,
): Component<PkmapState, PkmapCommand, PkmapFact> => ({
  facts: pkmapFacts,
  evolvesOn: [...Object.keys(pkmapFacts), 'KmapSlotMapped', 'KmapSlotUnmapped'],
  initial: () => ({ counts: zeros(slots), pages: zeros(slots).fill(NONE), last: 0, waiters: 0 }),
  decide(command, state) {
    const { type, cpu, slot, pfn } = command;
    switch (type) {
      case 'AdvanceCursor': {
        const last = (state.last + 1) % slots;
        return [{ type: 'PkmapCursorMoved', cpu, last, count: countOf(state, last) }];
      }
      case 'MapSlot':
        assert(countOf(state, slot) === 0, `pkmap slot ${slot} is not free`);
        return [{ type: 'KmapSlotMapped', slot, pfn, va: vaOf(slot) }];
      case 'UnmapSlot':
        assert(countOf(state, slot) === 1, `pkmap slot ${slot} has users, or is unmapped already`);
        return [{ type: 'KmapSlotUnmapped', slot, pfn: pageOf(state, slot), va: vaOf(slot) }];
      case 'TakeSlot': {
        const taken = state.pages.indexOf(pfn);
        return [{ type: 'PkmapTaken', cpu, slot: taken, count: countOf(state, taken) + 1 }];
      }
      case 'ReleaseSlot':
        return [released(command, state)];
      case 'BeginWait':
        return [{ type: 'PkmapWaitStarted', cpu }];
      case 'EndWait':
        return [{ type: 'PkmapWaitEnded', cpu }];
    }
  },
  evolve(draft, fact) {
    if (fact.type === 'PkmapCursorMoved') draft.last = fact.last;
    else if (fact.type === 'PkmapWaitStarted') draft.waiters += 1;
    else if (fact.type === 'PkmapWaitEnded') draft.waiters -= 1;
    else if (fact.slot < slots) evolveSlot(draft, fact);
  },
});

const zeros = (length: number): number[] => Array.from({ length }, () => 0);
const countOf = ({ counts }: PkmapState, slot: number): number => present(counts[slot], 'pkmap slot');
const pageOf = ({ pages }: PkmapState, slot: number): number => present(pages[slot], 'pkmap slot');

/** "A count must never go down to zero without a TLB flush!" (kunmap_high): a BUG there as here. */
function released({ cpu, pfn }: PkmapCommand, state: PkmapState): PkmapFactOf<'PkmapReleased'> {
  const slot = state.pages.indexOf(pfn);
  const count = countOf(state, slot) - 1;
  assert(count >= 1, `kunmap of page ${pfn}, which nobody has mapped`);
  return { type: 'PkmapReleased', cpu, slot, count, wakes: count === 1 && state.waiters > 0 };
}

type SlotFact = Extract<PkmapFact, { readonly slot: number }>;
function evolveSlot(draft: PkmapState, fact: SlotFact): void {
  const { counts, pages } = draft;
  if (fact.type === 'KmapSlotMapped') {
    pages[fact.slot] = fact.pfn;
    counts[fact.slot] = 1;
  } else if (fact.type === 'KmapSlotUnmapped') {
    pages[fact.slot] = NONE;
    counts[fact.slot] = 0;
  } else counts[fact.slot] = fact.count;
}
