import type { Command, KernelFactOf, VocabularyFactOf } from '@tablewalk/contracts';
import type { Word64 } from './linux-bits.ts';

/** What the component takes and what it says. An order is one step: a store of 64 bits, or one run of words. */
export type LpaeFact =
  | VocabularyFactOf<'PgdAllocated' | 'PgdFreed'>
  | VocabularyFactOf<'PudPopulated' | 'PudCleared' | 'PmdPopulated' | 'PmdCleared'>
  | VocabularyFactOf<'PteSet' | 'PteCleared' | 'PteYoungCleared'>
  | VocabularyFactOf<'KernelSectionMapped' | 'KernelSectionUnmapped'>
  | VocabularyFactOf<'KernelPageMapped' | 'KernelPageUnmapped' | 'KernelEntriesCopied'>
  | KernelFactOf<'WordStored' | 'WordsCopied' | 'WordsFilled'>
  | SlabFact;
/** A page for first levels came to the slab, or went back to the allocator. */
export type SlabFact =
  | { readonly type: 'PgdSlabAdded'; readonly pa: number }
  | { readonly type: 'PgdSlabRemoved'; readonly pa: number };
export const slabFacts = { PgdSlabAdded: { pa: 'u' }, PgdSlabRemoved: { pa: 'u' } } as const;

export type LpaeOrderType =
  /** swapper_pg_dir, with lowmem. */
  | 'BootSwapper'
  /** `count` entries from that of `va` on are init_mm's. No fact: the slab is full. */
  | 'AllocatePgd'
  /** `pa`: of a page. */
  | 'AddSlab'
  | 'FreePgd'
  /** Of an mm; `pa`: of the page of tables. */
  | 'PopulatePud'
  | 'PopulatePmd'
  | 'ClearPud'
  | 'ClearPmd'
  /** Entries of init_mm: `count` of a pgd to the first level at `pa`, or one pmd entry to the place `pa`. */
  | 'CopyPgd'
  | 'CopyPmd'
  /** A page of pmds of an mm, whole. */
  | 'CopyPmdTable'
  /** init_mm's pmds for `count` entries from `va` on, to tables of an mm that are not init_mm's own. */
  | 'CopyPmds'
  /** `word`: the descriptor. Of an mm; or of init_mm at `pa`, and told as a mapping of the kernel. */
  | 'StoreBlock'
  | 'MapKernelBlock'
  /** `pa`: where the pte is. `word`: before set_pte_ext, or for a clear what is there. */
  | 'SetPte'
  | 'ClearPte'
  | 'AgePte'
  | 'SetKernelPte'
  | 'ClearKernelPte';

export interface LpaeOrder extends Command, Word64 {
  readonly type: LpaeOrderType;
  readonly mm: number;
  readonly va: number;
  readonly pa: number;
  readonly count: number;
}

export interface OrderParts {
  readonly va?: number;
  readonly pa?: number;
  readonly word?: Word64;
  readonly count?: number;
}
export const lpaeOrder = (
  type: LpaeOrderType,
  mm: number,
  { va = 0, pa = 0, word, count = 0 }: OrderParts = {},
): LpaeOrder => ({ to: 'page-table', type, mm, va, pa, count, lo: word?.lo ?? 0, hi: word?.hi ?? 0 });

/** A store of 64 bits: single-copy atomic, so both facts are of one step. */
export const stored = (pa: number, { lo, hi }: Word64): LpaeFact[] => [
  { type: 'WordStored', pa, value: lo },
  { type: 'WordStored', pa: pa + 4, value: hi },
];
