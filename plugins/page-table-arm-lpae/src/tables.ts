import { memoryKey, sliceKey, wordAt } from '@tablewalk/contracts';
import type { View } from '@tablewalk/contracts';
import { PAGE, pgdirOf, PGDIR_SIZE, pgdPlace, PMD_SIZE, pmdOf, pmdPlace, ptePlace } from './geometry.ts';
import { addressOf, isNone, isTable, Lo, ZERO } from './linux-bits.ts';
import type { Word64 } from './linux-bits.ts';

/** What is where in simulated memory, as software looks it up: pgd_offset, pmd_offset, pte_offset. */
export interface ArmLpaeState {
  /** Physical byte address of the first level, by mm; 0 is init_mm, once it has booted. */
  pgd: Record<number, number>;
  /** Pages that first levels are cut from, 128 of 32 bytes, by physical byte address, ascending. */
  slabs: number[];
}
export const armLpaeKey = sliceKey<ArmLpaeState>('page-table');

export const INIT_MM = 0;
export const pgdOf = (view: View, mm: number): number => view(armLpaeKey).pgd[mm] ?? 0;

export function word64At(view: View, pa: number): Word64 {
  const memory = view(memoryKey);
  return { lo: wordAt(memory, pa), hi: wordAt(memory, pa + 4) };
}

/** The pgd entry for an address in the first level at `pgd`; none where `pgd` is 0, which is no first level. */
export const pgdEntry = (view: View, pgd: number, va: number): Word64 =>
  pgd === 0 ? ZERO : word64At(view, pgdPlace(pgd, va));

/** Where the pmd entry for an address is; undefined where the pgd entry leads to no table. */
export function pmdAddress(view: View, pgd: number, va: number): number | undefined {
  const entry = pgdEntry(view, pgd, va);
  return isTable(entry) ? pmdPlace(addressOf(entry), va) : undefined;
}
export function pmdEntry(view: View, pgd: number, va: number): Word64 {
  const address = pmdAddress(view, pgd, va);
  return address === undefined ? ZERO : word64At(view, address);
}

export function pteAddress(view: View, pgd: number, va: number): number | undefined {
  const entry = pmdEntry(view, pgd, va);
  return isTable(entry) ? ptePlace(addressOf(entry), va) : undefined;
}
export function pteWord(view: View, pgd: number, va: number): Word64 {
  const address = pteAddress(view, pgd, va);
  return address === undefined ? ZERO : word64At(view, address);
}

/** First addresses of the pgd entries that meet `[from, to)` and lead to a table. */
export function pgdTablesOf(view: View, pgd: number, from: number, to: number): number[] {
  const found: number[] = [];
  for (let va = pgdirOf(from); va < to; va += PGDIR_SIZE)
    if (isTable(pgdEntry(view, pgd, va))) found.push(va);
  return found;
}

/** The same of pmd entries. */
export function pmdTablesOf(view: View, pgd: number, from: number, to: number): number[] {
  const found: number[] = [];
  for (const first of pgdTablesOf(view, pgd, from, to)) {
    const table = addressOf(pgdEntry(view, pgd, first));
    const end = Math.min(first + PGDIR_SIZE, to);
    for (let va = Math.max(first, pmdOf(from)); va < end; va += PMD_SIZE)
      if (isTable(word64At(view, pmdPlace(table, va)))) found.push(va);
  }
  return found;
}

/** Virtual addresses of the present pages below `end`, ascending. */
export function presentPages(view: View, pgd: number, end: number): number[] {
  const memory = view(memoryKey);
  const pages: number[] = [];
  for (const first of pmdTablesOf(view, pgd, 0, end)) {
    const table = addressOf(pmdEntry(view, pgd, first));
    for (let va = first; va < Math.min(first + PMD_SIZE, end); va += PAGE)
      if ((wordAt(memory, ptePlace(table, va)) & Lo.present) !== 0) pages.push(va);
  }
  return pages;
}

export const pgdNone = (view: View, pgd: number, va: number): boolean => isNone(pgdEntry(view, pgd, va));
export const pmdNone = (view: View, pgd: number, va: number): boolean => isNone(pmdEntry(view, pgd, va));

/** Entries for `[from, to)` in which a pgd leads to a pmd that has something, and not what init_mm's has. */
export function divergent(view: View, pgd: number, from: number, to: number): number[] {
  const found: number[] = [];
  const swapper = pgdOf(view, INIT_MM);
  for (let va = from - (from % PMD_SIZE); va < to; va += PMD_SIZE) {
    const own = pmdEntry(view, pgd, va);
    const master = pmdEntry(view, swapper, va);
    if (!isNone(own) && (own.lo !== master.lo || own.hi !== master.hi)) found.push(va);
  }
  return found;
}
