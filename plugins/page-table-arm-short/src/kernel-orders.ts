import { memoryKey, wordAt } from '@tablewalk/contracts';
import type { Command, KernelFactOf, View, VocabularyFactOf } from '@tablewalk/contracts';
import { kernelTableDescriptor, PAIR_SIZE, SECTION_SIZE } from './descriptors.ts';
import { otherWord } from './pte-page.ts';
import type { PtePage } from './pte-page.ts';

/**
 * Stores to init_mm's entries for vmalloc space, and copies of its first-level words. spec/page-tables.md,
 * 1.8 (pmd operations, a hardware word each) and 3.3 (copy_pmd); spec/ioremap.md, 2.
 */
export type KernelTableFact =
  | VocabularyFactOf<'KernelSectionMapped' | 'KernelSectionUnmapped' | 'KernelPageMapped'>
  | VocabularyFactOf<'KernelPageUnmapped' | 'KernelEntriesCopied' | 'PmdPopulated' | 'PmdCleared'>
  | KernelFactOf<'WordStored' | 'WordsCopied' | 'WordsFilled'>;

export type KernelOrderType =
  /** `pa`: of init_mm's first-level word. `word`: the descriptor, or for a clear the one that is there. */
  | 'StoreKernelSection'
  | 'ClearKernelWord'
  /** `pa`: of the page of tables. */
  | 'PopulateKernelPmd'
  /** `pa`: of the Linux word. `word`: the Linux word, or for a clear the one that was there. */
  | 'SetKernelHwPte'
  | 'ClearKernelHwPte'
  /** `pa`: of the first-level table that is copied to. `word`: how many words, from `va` on. */
  | 'CopyKernelWords';

export interface KernelOrder extends Command {
  readonly type: KernelOrderType;
  readonly mm: number;
  readonly va: number;
  readonly pa: number;
  readonly word: number;
}

export function kernelFactsOf(
  order: KernelOrder,
  swapper: number,
  view: View,
  page: PtePage,
): readonly KernelTableFact[] {
  const { type, va, pa, word } = order;
  switch (type) {
    case 'StoreKernelSection':
      return [
        { type: 'WordStored', pa, value: word },
        { type: 'KernelSectionMapped', va, pa: (word & 0xfff0_0000) >>> 0 },
      ];
    case 'ClearKernelWord':
      return [{ type: 'WordStored', pa, value: 0 }, ...unmapped(va, word)];
    case 'PopulateKernelPmd': {
      const pair = swapper + (va / SECTION_SIZE) * 4;
      const [first, second] = [pa + page.hwTables, pa + page.hwTables + 1024];
      return [
        { type: 'WordsFilled', pa, words: 1024, value: 0, step: 0 },
        { type: 'WordStored', pa: pair, value: kernelTableDescriptor(first) },
        { type: 'WordStored', pa: pair + 4, value: kernelTableDescriptor(second) },
        { type: 'PmdPopulated', mm: 0, va, table: pa },
      ];
    }
    case 'SetKernelHwPte':
      return [
        { type: 'WordStored', pa: otherWord(pa), value: page.hardwareWord(word) },
        { type: 'KernelPageMapped', va, pfn: word >>> 12 },
      ];
    case 'ClearKernelHwPte': {
      const pfn = page.decode(word)?.pfn ?? 0;
      return [
        { type: 'WordStored', pa: otherWord(pa), value: 0 },
        { type: 'KernelPageUnmapped', va, pfn },
      ];
    }
    case 'CopyKernelWords':
      return copied(order, swapper, view);
  }
}

/** A table is gone with the second of its two words. */
function unmapped(va: number, old: number): KernelTableFact[] {
  if ((old & 0b11) === 0b10) return [{ type: 'KernelSectionUnmapped', va }];
  if ((old & 0b11) !== 0b01 || va % PAIR_SIZE === 0) return [];
  return [{ type: 'PmdCleared', mm: 0, va: va - SECTION_SIZE, table: Math.floor(old / 4096) * 4096 }];
}

/** Runs of words that differ: what is the same already a copy does not change. */
function copied({ mm, va, pa, word: words }: KernelOrder, swapper: number, view: View): KernelTableFact[] {
  const memory = view(memoryKey);
  const first = (va / SECTION_SIZE) * 4;
  const facts: KernelTableFact[] = [];
  let run = 0;
  for (let i = 0; i <= words; i++) {
    const offset = first + i * 4;
    if (i < words && wordAt(memory, swapper + offset) !== wordAt(memory, pa + offset)) run += 1;
    else if (run > 0) {
      const start = offset - run * 4;
      facts.push({ type: 'WordsCopied', from: swapper + start, to: pa + start, words: run });
      run = 0;
    }
  }
  return [...facts, { type: 'KernelEntriesCopied', mm, va, words }];
}
