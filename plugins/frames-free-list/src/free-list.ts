import { prngBelow, prngSeed, sparseTable, tableDelete, tableGet, tableSet } from '@tablewalk/base';
import type { SparseTable } from '@tablewalk/base';
import { issue, order, sliceKey } from '@tablewalk/contracts';
import type {
  Command,
  Component,
  FramesPlugin,
  FrameUse,
  MachineFacts,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { withFailures } from './failures.ts';

/**
 * A physical page allocator with the properties that matter to a TLB and cache study, and no more:
 * a page that was freed last is handed out first (the per-CPU lists of mm/page_alloc.c do that, and
 * it is what makes a use after free bite soon); pages that were never used come in the order of a
 * free list that an uptime has scattered. Blocks of more than one page come from the top end of RAM.
 *
 * Not modelled: zones, merging of buddies, migration types.
 */
export interface FreeListState {
  /** Single pages that have never been handed out are number `fresh` and up of the scattered order. */
  fresh: number;
  /** Freed single pages, the last one freed at the end. */
  freed: number[];
  /** First pfn of the lowest block handed out from the top end. */
  top: number;
  /** Freed blocks, by order. */
  freedBlocks: Record<number, number[]>;
  /** Order of each block in use, by its first pfn. */
  blocks: Record<number, number>;
  /** What each page in use is for: user pages keep [mm, va]. */
  owners: SparseTable<readonly [mm: number, va: number]>;
}

type Allocate = Command & { order: number; use: FrameUse; mm: number; va: number };
type Free = Command & { pfn: number };
type FrameFact = VocabularyFactOf<'PageAllocated' | 'AllocationFailed' | 'PageFreed'>;

export interface FreeListConfig {
  readonly order: 'scattered' | 'ascending';
  /** Share of RAM at its top end that is kept for blocks of several pages (first-level tables). */
  readonly blockShare: number;
}

export function freeListFrames(config: FreeListConfig, machine: MachineFacts): FramesPlugin {
  // The kernel's image, at the start of RAM, is not the allocator's.
  const { imageBytes = 0 } = machine;
  const firstPfn = (machine.ramBase + imageBytes) / 4096;
  const pages = Math.floor((machine.ramBytes - imageBytes) / 4096);
  const end = firstPfn + pages;
  const singles = pages - Math.max(4, Math.floor((pages * config.blockShare) / 4) * 4);
  const scatter = scatteredOrder(singles, config.order === 'ascending' ? undefined : machine.seed);

  const component: Component<FreeListState, Allocate | Free, FrameFact> = {
    evolvesOn: ['PageAllocated', 'PageFreed'],
    initial: () => ({ fresh: 0, freed: [], top: end, freedBlocks: {}, blocks: {}, owners: sparseTable() }),
    decide(command, state) {
      if (command.type === 'FreePage') {
        const { pfn } = command as Free;
        return [{ type: 'PageFreed', pfn, order: state.blocks[pfn] ?? 0 }];
      }
      const { order: blockOrder, use, mm, va } = command as Allocate;
      const pfn = blockOrder === 0 ? nextSingle(state) : nextBlock(state, blockOrder);
      if (pfn === undefined) return [{ type: 'AllocationFailed', order: blockOrder, use }];
      return [{ type: 'PageAllocated', pfn, order: blockOrder, use, mm, va }];
    },
    evolve(draft, fact) {
      if (fact.type === 'PageAllocated') {
        if (fact.order > 0) takeBlock(draft, fact.pfn, fact.order);
        else if (draft.freed.at(-1) === fact.pfn) draft.freed.pop();
        else draft.fresh += 1;
        if (fact.use === 'user') tableSet(draft.owners, fact.pfn, [fact.mm, fact.va]);
      } else if (fact.type === 'PageFreed') {
        if (fact.order > 0) {
          (draft.freedBlocks[fact.order] ??= []).push(fact.pfn);
          delete draft.blocks[fact.pfn];
        } else draft.freed.push(fact.pfn);
        tableDelete(draft.owners, fact.pfn);
      }
    },
  };

  function nextSingle(state: FreeListState): number | undefined {
    const freed = state.freed.at(-1);
    if (freed !== undefined) return freed;
    return state.fresh < singles ? firstPfn + scatter(state.fresh) : undefined;
  }

  function nextBlock(state: FreeListState, blockOrder: number): number | undefined {
    const freed = state.freedBlocks[blockOrder]?.at(-1);
    if (freed !== undefined) return freed;
    const size = 2 ** blockOrder;
    const pfn = Math.floor((state.top - size) / size) * size;
    return pfn >= firstPfn + singles ? pfn : undefined;
  }

  return {
    component,
    model: ({ failures }) => ({ component: failures === 0 ? component : withFailures(component, failures) }),
    firstPfn,
    pages,
    *allocate(use, blockOrder, owner) {
      const command: Allocate = {
        to: 'frames',
        type: 'AllocatePage',
        order: blockOrder,
        use,
        mm: owner?.mm ?? 0,
        va: owner?.va ?? 0,
      };
      const [pfn] = yield* issue<FrameFact>(command, (facts) =>
        facts[0]?.type === 'PageAllocated' ? [facts[0].pfn] : [],
      );
      return pfn;
    },
    free: (pfn) => order({ to: 'frames', type: 'FreePage', pfn } as Command),
    freePages(view) {
      const { fresh, freed } = view(framesKey);
      return singles - fresh + freed.length;
    },
    userPage(view, pfn) {
      const owner = tableGet(view(framesKey).owners, pfn);
      return owner === undefined ? undefined : { mm: owner[0], va: owner[1] };
    },
  };
}

export const framesKey = sliceKey<FreeListState>('frames');

function takeBlock(draft: FreeListState, pfn: number, blockOrder: number): void {
  const freed = draft.freedBlocks[blockOrder];
  if (freed?.at(-1) === pfn) freed.pop();
  else draft.top = pfn;
  draft.blocks[pfn] = blockOrder;
}

/** A permutation of [0, n): i -> (a i + b) mod n with a prime to n, drawn from the seed. */
function scatteredOrder(n: number, seed: number | undefined): (i: number) => number {
  if (seed === undefined || n < 2) return (i) => i;
  const random = prngSeed(seed, 0xf4a3e5);
  let a = 0;
  do a = 1 + prngBelow(random, n - 1);
  while (greatestCommonDivisor(a, n) !== 1);
  const b = prngBelow(random, n);
  return (i) => (a * i + b) % n;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
