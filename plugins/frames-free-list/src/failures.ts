import type { Command, Component, Fact, VocabularyFactOf } from '@tablewalk/contracts';
import { sliceKey } from '@tablewalk/contracts';
import type { FreeListState } from './free-list.ts';

/** The allocator, free to fail: what the slice holds beside the free list. */
export interface FailingState extends FreeListState {
  /** Failures that are still to be given out. */
  failuresLeft: number;
  /** The next allocation fails, though there is memory. */
  failing: boolean;
}
const framesKey = sliceKey<FailingState>('frames');

type Given = VocabularyFactOf<'AllocationFailed'> | { readonly type: 'AllocationFailureChosen' };

/**
 * For exploration: any of the allocations may be the one that fails, as fail_page_alloc makes it so (Linux
 * Documentation/fault-injection). That one will is an action beforehand; it fails when it comes.
 */
export function withFailures<C extends Command, F extends Fact>(
  component: Component<FreeListState, C, F>,
  failures: number,
): Component<FailingState, Command, F | Given> {
  return {
    facts: { AllocationFailureChosen: {} },
    evolvesOn: [...component.evolvesOn, 'AllocationFailed', 'AllocationFailureChosen'],
    initial: () => ({ ...component.initial(), failuresLeft: failures, failing: false }),
    decide(command, state, env) {
      if (command.type === 'ChooseFailure') return [{ type: 'AllocationFailureChosen' }];
      if (command.type !== 'AllocatePage' || !state.failing)
        return component.decide(command as C, state, env);
      const { order, use } = command as Command & { order: number; use: string };
      return [{ type: 'AllocationFailed', order, use }];
    },
    evolve(draft, fact, at) {
      if (fact.type === 'AllocationFailureChosen') {
        draft.failing = true;
        draft.failuresLeft -= 1;
      } else if (fact.type === 'AllocationFailed') draft.failing = false;
      else component.evolve(draft, fact as F, at);
    },
    actions: [
      {
        idle: true,
        actor: 'allocator',
        label: 'will fail the next allocation',
        command: { to: 'frames', type: 'ChooseFailure' },
        when: (view) => view(framesKey).failuresLeft > 0 && !view(framesKey).failing,
      },
    ],
  };
}
