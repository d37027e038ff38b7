import { memoryKey, sliceKey, wordAt } from '@tablewalk/contracts';
import type {
  Command,
  Component,
  KernelFactOf,
  MachineFacts,
  View,
  VocabularyFactOf,
} from '@tablewalk/contracts';
import { memoryMapConfig } from '@tablewalk/memory-map';
import type { MemoryMap, MemoryMapConfig, MemoryMapKnobs } from '@tablewalk/memory-map';
import { kernelSection, LinuxPte, PAIR_SIZE, SECTION_SIZE, tableDescriptor } from './descriptors.ts';
import { kernelFactsOf } from './kernel-orders.ts';
import type { KernelOrderType, KernelTableFact } from './kernel-orders.ts';
import { otherWord, ptePageOf } from './pte-page.ts';
import type { PteLayout } from './pte-page.ts';

/**
 * The tables in simulated memory: where a page's words are, and the stores that change them.
 * spec/page-tables.md, 1.1 (layout of a PTE page), 1.6 (set_pte_ext), 1.8 (pmd operations), 3.1 (pgd_alloc).
 */
export interface ArmShortConfig extends MemoryMapKnobs {
  /** Which half of a page of second-level tables hardware walks, and how Linux writes its own. */
  readonly pteLayout: PteLayout;
}
/** A machine of less than a section has no lowmem to map, which is no reason to refuse it. */
export const mapConfigOf = (
  { pteLayout: _pteLayout, ...knobs }: ArmShortConfig,
  machine: MachineFacts,
): MemoryMapConfig =>
  memoryMapConfig(knobs, { ...machine, ramBytes: Math.max(machine.ramBytes, SECTION_SIZE) });

export const INIT_MM = 0;
const PGD_BYTES = 16384;

/** Physical byte address of the first level, by mm. */
export interface ArmShortState {
  pgd: Record<number, number>;
}
export const armShortKey = sliceKey<ArmShortState>('page-table');

export type TableFact =
  | KernelTableFact
  | VocabularyFactOf<'PgdAllocated' | 'PgdFreed' | 'PmdPopulated' | 'PmdCleared'>
  | VocabularyFactOf<'PteSet' | 'PteCleared' | 'PteYoungCleared'>
  | KernelFactOf<'WordStored' | 'WordsCopied' | 'WordsFilled'>;

export type TableOrderType =
  | 'AllocatePgd'
  | 'FreePgd'
  | 'PopulatePmd'
  | 'ClearPmd'
  | 'StoreSection'
  | 'StoreLinuxPte'
  | 'StoreVectorsHwPte'
  | 'SetHwPte'
  | 'ClearHwPte'
  | 'AgeHwPte'
  | KernelOrderType;
/**
 * `pa`: of the table (pgd, pmd orders), of what a section maps, or of the Linux word (pte orders). `word`: the Linux
 * word; of AllocatePgd how many words are copied from init_mm, from that of `va` on.
 */
export interface TableOrder extends Command {
  readonly type: TableOrderType;
  readonly mm: number;
  readonly va: number;
  readonly pa: number;
  readonly word: number;
}
export const tableOrder = (
  type: TableOrderType,
  mm: number,
  va: number,
  pa: number,
  word = 0,
): TableOrder => ({
  to: 'page-table',
  type,
  mm,
  va,
  pa,
  word,
});

export const pairAddress = (pgd: number, va: number): number => pgd + Math.floor(va / PAIR_SIZE) * 8;
export const pairOf = (va: number): number => va - (va % PAIR_SIZE);
/** Of the half of a pair that `va` is in. */
export const wordAddress = (pgd: number, va: number): number => pgd + Math.floor(va / SECTION_SIZE) * 4;

/** Physical address of a page's Linux word; undefined when there is no second-level table. */
export function linuxPteAddress(view: View, mm: number, va: number): number | undefined {
  const pgd = view(armShortKey).pgd[mm];
  if (pgd === undefined) return undefined;
  const first = wordAt(view(memoryKey), pairAddress(pgd, va));
  if ((first & 0b11) !== 0b01) return undefined;
  // The entry names the table that hardware walks.
  return otherWord((first & 0xffff_fc00) >>> 0) + (Math.floor(va / 4096) % 512) * 4;
}

export function linuxPte(view: View, mm: number, va: number): number {
  const address = linuxPteAddress(view, mm, va);
  return address === undefined ? 0 : wordAt(view(memoryKey), address);
}

/** Second-level table pages of an mm below `end`, as pairs of first virtual address and physical address. */
export function tablesOf(view: View, mm: number, end: number): number[] {
  const pgd = view(armShortKey).pgd[mm];
  const pairs: number[] = [];
  if (pgd === undefined) return pairs;
  const memory = view(memoryKey);
  for (let va = 0; va < end; va += PAIR_SIZE) {
    const first = wordAt(memory, pairAddress(pgd, va));
    if ((first & 0b11) === 0b01) pairs.push(va, Math.floor(first / 4096) * 4096);
  }
  return pairs;
}

/** Virtual addresses of the present pages in `[start, end)`, ascending. */
export function presentPages(view: View, mm: number, start: number, end: number): number[] {
  const memory = view(memoryKey);
  const pages: number[] = [];
  const tables = tablesOf(view, mm, end);
  for (let i = 0; i < tables.length; i += 2) {
    const first = tables[i] as number;
    const linux = linuxPteAddress(view, mm, first) ?? 0;
    for (let entry = 0; entry < 512; entry++)
      if ((wordAt(memory, linux + entry * 4) & LinuxPte.present) !== 0) pages.push(first + entry * 4096);
  }
  return pages.filter((va) => va >= start);
}

export function armShortTables(
  config: ArmShortConfig,
  map: MemoryMap,
  machine: MachineFacts,
): Component<ArmShortState, TableOrder, TableFact> {
  const page = ptePageOf(config.pteLayout);
  /** init_mm: the direct mapping of RAM in sections. */
  const lowmem = (pgd: number): TableFact => ({
    type: 'WordsFilled',
    pa: pgd + (map.pageOffset / SECTION_SIZE) * 4,
    words: Math.floor(Math.min(map.highMemory - map.pageOffset, machine.ramBytes) / SECTION_SIZE),
    value: kernelSection(machine.ramBase),
    step: SECTION_SIZE,
  });

  return {
    evolvesOn: ['PgdAllocated', 'PgdFreed'],
    initial: () => ({ pgd: {} }),
    decide(command, state, { view }) {
      const { type, mm, va, pa, word } = command;
      const pgd = state.pgd[mm] ?? 0;
      switch (type) {
        case 'AllocatePgd': {
          const clear: TableFact = { type: 'WordsFilled', pa, words: PGD_BYTES / 4, value: 0, step: 0 };
          const init = state.pgd[INIT_MM];
          if (init === undefined) return [{ type: 'PgdAllocated', mm, pa }, clear, lowmem(pa)];
          const [from, to] = [wordAddress(init, va), wordAddress(pa, va)];
          const copy: TableFact[] = word === 0 ? [] : [{ type: 'WordsCopied', from, to, words: word }];
          return [{ type: 'PgdAllocated', mm, pa }, clear, ...copy];
        }
        case 'FreePgd':
          return [{ type: 'PgdFreed', mm, pa }];
        case 'PopulatePmd': {
          const pair = pairAddress(pgd, va);
          return [
            { type: 'WordsFilled', pa, words: 1024, value: 0, step: 0 },
            { type: 'WordStored', pa: pair, value: tableDescriptor(pa + page.hwTables) },
            { type: 'WordStored', pa: pair + 4, value: tableDescriptor(pa + page.hwTables + 1024) },
            { type: 'PmdPopulated', mm, va, table: pa },
          ];
        }
        case 'ClearPmd': {
          const pair = pairAddress(pgd, va);
          const first = wordAt(view(memoryKey), pair);
          if ((first & 0b11) !== 0b01) return [];
          return [
            { type: 'WordStored', pa: pair, value: 0 },
            { type: 'WordStored', pa: pair + 4, value: 0 },
            { type: 'PmdCleared', mm, va: pairOf(va), table: Math.floor(first / 4096) * 4096 },
          ];
        }
        case 'StoreSection':
          return [{ type: 'WordStored', pa: wordAddress(pgd, va), value: kernelSection(pa) }];
        case 'StoreLinuxPte':
          return [{ type: 'WordStored', pa, value: word }];
        case 'StoreVectorsHwPte':
          return [{ type: 'WordStored', pa: otherWord(pa), value: page.hardwareWord(word) }];
        case 'SetHwPte': {
          const pte = page.decode(word);
          if (pte === undefined) return [];
          const { pfn, young, dirty, write } = pte;
          const stored: TableFact = {
            type: 'WordStored',
            pa: otherWord(pa),
            value: page.hardwareWord(word),
          };
          return [stored, { type: 'PteSet', mm, va, pfn, young, dirty, write }];
        }
        case 'ClearHwPte':
        case 'AgeHwPte': {
          const pte = page.decode(word);
          if (pte === undefined) return [];
          const stored: TableFact = { type: 'WordStored', pa: otherWord(pa), value: 0 };
          if (type === 'AgeHwPte') return [stored, { type: 'PteYoungCleared', mm, va, pfn: pte.pfn }];
          return [stored, { type: 'PteCleared', mm, va, pfn: pte.pfn, dirty: pte.dirty }];
        }
        default:
          return kernelFactsOf({ ...command, type }, state.pgd[INIT_MM] ?? 0, view, page);
      }
    },
    evolve(draft, fact) {
      if (fact.type === 'PgdAllocated') draft.pgd[fact.mm] = fact.pa;
      else if (fact.type === 'PgdFreed') delete draft.pgd[fact.mm];
    },
  };
}
