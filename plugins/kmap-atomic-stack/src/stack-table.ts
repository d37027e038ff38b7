import { assert, present } from '@tablewalk/base';
import { defineFacts, sliceKey } from '@tablewalk/contracts';
import type { Command, Component, FactsIn, VocabularyFactOf } from '@tablewalk/contracts';

export interface StackState {
  /** By CPU: indices in use (__kmap_atomic_idx and 1). */
  readonly depths: number[];
  /** The page that each entry maps, by slot, in use or not. */
  readonly entries: Record<number, number>;
}
export const stackKey = sliceKey<StackState>('kmap');

const stackFacts = defineFacts({
  KmapIndexPushed: { cpu: 'u', index: 'u' },
  KmapIndexPopped: { cpu: 'u', index: 'u' },
});
type OwnFact = FactsIn<typeof stackFacts>;
export type StackFactOf<Name extends OwnFact['type']> = Extract<OwnFact, { type: Name }>;
type StackFact = OwnFact | VocabularyFactOf<'KmapSlotMapped' | 'KmapSlotUnmapped'>;

interface StackCommand extends Command {
  readonly type: 'PushIndex' | 'PopIndex' | 'SetEntry' | 'LeaveEntry';
  readonly cpu: number;
  readonly slot: number;
  readonly pfn: number;
  readonly va: number;
}
export const stackCommand = (
  type: StackCommand['type'],
  cpu: number,
  { slot = 0, pfn = 0, va = 0 } = {},
): StackCommand => ({ to: 'kmap', type, cpu, slot, pfn, va });

/** A stack of each CPU, and its entries. */
export const stackTable = (
  cpus: number,
  types: number,
  clearsEntries: boolean,
): Component<StackState, StackCommand, StackFact> => ({
  facts: stackFacts,
  evolvesOn: [...Object.keys(stackFacts), 'KmapSlotMapped', 'KmapSlotUnmapped'],
  initial: () => ({ depths: Array.from({ length: cpus }, () => 0), entries: {} }),
  decide({ type, cpu, slot, pfn, va }, { depths }) {
    const depth = present(depths[cpu], 'cpu');
    switch (type) {
      case 'PushIndex':
        assert(depth < types, `more than ${types} kmap_atomic inside each other on CPU ${cpu}`);
        return [{ type: 'KmapIndexPushed', cpu, index: depth }];
      case 'PopIndex':
        assert(depth > 0, `kunmap_atomic on CPU ${cpu}, where nothing is mapped`);
        return [{ type: 'KmapIndexPopped', cpu, index: depth - 1 }];
      case 'SetEntry':
        return [{ type: 'KmapSlotMapped', slot, pfn, va }];
      case 'LeaveEntry':
        return [{ type: 'KmapSlotUnmapped', slot, pfn, va }];
    }
  },
  evolve({ depths, entries }, fact) {
    if (fact.type === 'KmapIndexPushed') depths[fact.cpu] = fact.index + 1;
    else if (fact.type === 'KmapIndexPopped') depths[fact.cpu] = fact.index;
    else if (fact.slot >= types * cpus) return;
    else if (fact.type === 'KmapSlotMapped') entries[fact.slot] = fact.pfn;
    else if (clearsEntries) delete entries[fact.slot];
  },
});
