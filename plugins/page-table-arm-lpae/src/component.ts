import { memoryKey, wordAt } from '@tablewalk/contracts';
import type { Component, MachineFacts, View } from '@tablewalk/contracts';
import { PAGE, PGD_BYTES, pgdirOf, PGDIR_SIZE, pgdPlace, PMD_SIZE, PTRS_PER_PGD } from './geometry.ts';
import { pmdOf, pmdPlace, PTRS_PER_TABLE, swapperAddress, SWAPPER_TABLES } from './geometry.ts';
import { addressOf, Hi, isBlock, isTable, kernelBlock, tableEntry, ZERO } from './linux-bits.ts';
import type { Generation } from './linux-bits.ts';
import { slabFacts, stored } from './orders.ts';
import type { LpaeFact, LpaeOrder } from './orders.ts';
import { pteFactsOf } from './pte-facts.ts';
import { INIT_MM, pgdEntry, pmdAddress, pmdEntry } from './tables.ts';
import type { ArmLpaeState } from './tables.ts';

export interface Lowmem {
  readonly pageOffset: number;
  /** End of the direct mapping, a virtual byte address. */
  readonly highMemory: number;
}

/** The stores that change tables of three levels, and where first levels are. spec/page-tables.md, 5. */
export function armLpaeTables(
  lowmem: Lowmem,
  generation: Generation,
  machine: MachineFacts,
): Component<ArmLpaeState, LpaeOrder, LpaeFact> {
  return {
    facts: slabFacts,
    evolvesOn: ['PgdAllocated', 'PgdFreed', 'PgdSlabAdded', 'PgdSlabRemoved'],
    initial: () => ({ pgd: {}, slabs: [] }),
    decide(order, state, { view }) {
      const { type, mm, va, pa, count } = order;
      const pgd = state.pgd[mm] ?? 0;
      const init = state.pgd[INIT_MM] ?? 0;
      switch (type) {
        case 'BootSwapper':
          return swapperFacts(lowmem, machine);
        case 'AllocatePgd':
          return allocated(order, state, init);
        case 'AddSlab':
          return [{ type: 'PgdSlabAdded', pa }];
        case 'FreePgd':
          return freed(mm, state);
        case 'PopulatePud':
          return [
            cleared(pa),
            ...stored(pgdPlace(pgd, va), tableEntry(pa)),
            { type: 'PudPopulated', mm, va: pgdirOf(va), table: pa },
          ];
        case 'PopulatePmd': {
          const place = pmdAddress(view, pgd, va);
          if (place === undefined) return [];
          return [
            cleared(pa),
            ...stored(place, tableEntry(pa)),
            { type: 'PmdPopulated', mm, va: pmdOf(va), table: pa },
          ];
        }
        case 'ClearPud': {
          const entry = pgdEntry(view, pgd, va);
          if (!isTable(entry)) return [];
          return [
            ...stored(pgdPlace(pgd, va), ZERO),
            { type: 'PudCleared', mm, va: pgdirOf(va), table: addressOf(entry) },
          ];
        }
        case 'ClearPmd':
          return pmdCleared(order, pgd, view);
        case 'CopyPgd':
          return copied(order, pgdPlace(init, va), pgdPlace(pa, va), count * 2, view);
        case 'CopyPmd': {
          const from = pmdAddress(view, init, va);
          return from === undefined ? [] : copied(order, from, pa, 2, view);
        }
        case 'CopyPmdTable':
          return pmdsCopied({ ...order, va: pgdirOf(va), count: PTRS_PER_TABLE }, init, pgd, view);
        case 'CopyPmds':
          return pmdsCopied(order, init, pgd, view);
        case 'StoreBlock':
        case 'MapKernelBlock': {
          const at = type === 'StoreBlock' ? pmdAddress(view, pgd, va) : pa;
          if (at === undefined) return [];
          const block = addressOf(order);
          return type === 'StoreBlock'
            ? stored(at, order)
            : [...stored(at, order), { type: 'KernelSectionMapped', va, pa: block }];
        }
        default:
          return pteFactsOf({ ...order, type }, generation);
      }
    },
    evolve(draft, fact) {
      if (fact.type === 'PgdAllocated') draft.pgd[fact.mm] = fact.pa;
      else if (fact.type === 'PgdFreed') delete draft.pgd[fact.mm];
      else if (fact.type === 'PgdSlabAdded') {
        const place = draft.slabs.findIndex((pa) => pa > fact.pa);
        draft.slabs.splice(place < 0 ? draft.slabs.length : place, 0, fact.pa);
      } else if (fact.type === 'PgdSlabRemoved') draft.slabs.splice(draft.slabs.indexOf(fact.pa), 1);
    },
  };
}

const cleared = (pa: number): LpaeFact => ({ type: 'WordsFilled', pa, words: PAGE / 4, value: 0, step: 0 });

/**
 * swapper_pg_dir as head.S and paging_init leave it: every entry leads to a page of pmds of its own and has
 * L_PGD_SWAPPER; lowmem is mapped by blocks. What is left of lowmem above whole blocks is not mapped.
 */
function swapperFacts({ pageOffset, highMemory }: Lowmem, machine: MachineFacts): LpaeFact[] {
  const pgd = swapperAddress(machine);
  const table = (entry: number): number => pgd + SWAPPER_TABLES + entry * PAGE;
  const words = (SWAPPER_TABLES + PTRS_PER_PGD * PAGE) / 4;
  const facts: LpaeFact[] = [
    { type: 'PgdAllocated', mm: INIT_MM, pa: pgd },
    { type: 'WordsFilled', pa: pgd, words, value: 0, step: 0 },
  ];
  for (let entry = 0; entry < PTRS_PER_PGD; entry++) {
    facts.push(...stored(pgd + entry * 8, tableEntry(table(entry), Hi.swapper)));
    facts.push({ type: 'PudPopulated', mm: INIT_MM, va: entry * PGDIR_SIZE, table: table(entry) });
  }
  for (let va = pageOffset; va + PMD_SIZE <= highMemory; va += PMD_SIZE) {
    const place = pmdPlace(table(Math.floor(va / PGDIR_SIZE)), va);
    facts.push(...stored(place, kernelBlock(machine.ramBase + va - pageOffset)));
  }
  return facts;
}

/** kmalloc from the slab, lowest address first; memset, and memcpy of init_mm's entries. */
function allocated({ mm, va, count }: LpaeOrder, state: ArmLpaeState, init: number): LpaeFact[] {
  const taken = new Set(Object.values(state.pgd));
  for (const slab of state.slabs)
    for (let pa = slab; pa < slab + PAGE; pa += PGD_BYTES) {
      if (taken.has(pa)) continue;
      const [from, to] = [pgdPlace(init, va), pgdPlace(pa, va)];
      return [
        { type: 'PgdAllocated', mm, pa },
        { type: 'WordsFilled', pa, words: PGD_BYTES / 4, value: 0, step: 0 },
        ...(count === 0 ? [] : [{ type: 'WordsCopied', from, to, words: count * 2 } as const]),
      ];
    }
  return [];
}

/** kfree. Pages of the slab in which nothing is left go back. */
function freed(mm: number, { pgd, slabs }: ArmLpaeState): LpaeFact[] {
  const pa = pgd[mm];
  if (pa === undefined) return [];
  const left = Object.entries(pgd).flatMap(([other, place]) => (Number(other) === mm ? [] : [place]));
  const empty = slabs.filter((slab) => !left.some((place) => place >= slab && place < slab + PAGE));
  return [
    { type: 'PgdFreed', mm, pa },
    ...empty.map((slab) => ({ type: 'PgdSlabRemoved', pa: slab }) as const),
  ];
}

/** pmd_clear, of a table; of init_mm's a block of device memory as well. */
function pmdCleared({ mm, va }: LpaeOrder, pgd: number, view: View): LpaeFact[] {
  const entry = pmdEntry(view, pgd, va);
  const place = pmdAddress(view, pgd, va);
  if (place === undefined) return [];
  if (isTable(entry))
    return [...stored(place, ZERO), { type: 'PmdCleared', mm, va: pmdOf(va), table: addressOf(entry) }];
  if (mm !== INIT_MM || !isBlock(entry)) return [];
  return [...stored(place, ZERO), { type: 'KernelSectionUnmapped', va: pmdOf(va) }];
}

/** Runs of 64-bit words that differ: what is the same already a copy does not change. */
function copied({ mm, va }: LpaeOrder, from: number, to: number, words: number, view: View): LpaeFact[] {
  return [...runsThatDiffer(from, to, words, view), { type: 'KernelEntriesCopied', mm, va, words }];
}

function runsThatDiffer(from: number, to: number, words: number, view: View): LpaeFact[] {
  const memory = view(memoryKey);
  const same = (offset: number): boolean => wordAt(memory, from + offset) === wordAt(memory, to + offset);
  const facts: LpaeFact[] = [];
  let run = 0;
  for (let i = 0; i <= words; i += 2) {
    if (i < words && !(same(i * 4) && same(i * 4 + 4))) run += 2;
    else if (run > 0) {
      const start = (i - run) * 4;
      facts.push({ type: 'WordsCopied', from: from + start, to: to + start, words: run });
      run = 0;
    }
  }
  return facts;
}

/** `count` pmd entries from `va` on, in the pages of pmds that the mm has for itself. */
function pmdsCopied(order: LpaeOrder, init: number, pgd: number, view: View): LpaeFact[] {
  const end = order.va + order.count * PMD_SIZE;
  const facts: LpaeFact[] = [];
  for (let va = order.va; va < end; va = pgdirOf(va) + PGDIR_SIZE) {
    const [from, to] = [pmdAddress(view, init, va), pmdAddress(view, pgd, va)];
    if (from === undefined || to === undefined || from === to) continue;
    const entries = (Math.min(pgdirOf(va) + PGDIR_SIZE, end) - va) / PMD_SIZE;
    facts.push(...runsThatDiffer(from, to, entries * 2, view));
  }
  return [...facts, { type: 'KernelEntriesCopied', mm: order.mm, va: order.va, words: order.count * 2 }];
}
