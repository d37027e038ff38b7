import { readAll } from '@tablewalk/contracts';
import type { PgdTables, ProgramContext, Routine, View } from '@tablewalk/contracts';

/**
 * free_pgtables and free_pgd_range (Linux mm/memory.c, v2.6.39 to v3.16), for an address space whose mappings
 * are taken to be one, from FIRST_USER_ADDRESS to TASK_SIZE. Addresses are virtual byte addresses.
 *
 * 1. Entries of the last level are looked at within the mapping alone: what the kernel has above it stays.
 * 2. A table goes when all that it covers lies between the floor and the ceiling. The floor is not 0, so the
 *    tables that cover address 0 stay, for pgd_free; a ceiling of 0 is none at all, and then a page of pmds goes
 *    although the kernel has entries in it too (spec/page-tables.md, 5.6).
 */
export interface UserSpace {
  /** TASK_SIZE. */
  readonly taskSize: number;
  /** USER_PGTABLES_CEILING: no table that covers it, or what is above it, is freed. 0: no such limit. */
  readonly ceiling: number;
}

export interface TableEntry {
  readonly level: 'pgd' | 'pmd';
  /** First address of the entry. */
  readonly va: number;
}

/** The entries that free_pgtables clears, in its order: the pmds of a pgd entry, then the entry. */
export function freeableTables(
  tables: PgdTables,
  view: View,
  mm: number,
  { taskSize, ceiling }: UserSpace,
): readonly TableEntry[] {
  const { firstUserAddress: floor, pgdirSize, pmdSize } = tables;
  const within = (va: number, size: number): boolean =>
    va >= floor && (ceiling === 0 || va + size <= ceiling);
  const pmds = tables.pmdTables(view, mm, 0, taskSize).filter((va) => within(va, pmdSize));
  const pgds = tables.pgdTables(view, mm, 0, taskSize).filter((va) => within(va, pgdirSize));
  const entries: TableEntry[] = pmds.map((va) => ({ level: 'pmd', va }));
  for (const va of pgds) {
    const place = entries.findIndex((entry) => entry.va >= va + pgdirSize);
    entries.splice(place < 0 ? entries.length : place, 0, { level: 'pgd', va });
  }
  return entries;
}

/**
 * Clears them, an entry a step, after one look at all. Answers the pages of tables that were behind them (pfns);
 * the caller frees them.
 */
export function* freePgtables(
  tables: PgdTables,
  context: ProgramContext,
  mm: number,
  space: UserSpace,
): Routine<readonly number[]> {
  const look = (view: View): number[] =>
    freeableTables(tables, view, mm, space).flatMap(({ level, va }) => [Number(level === 'pgd'), va]);
  const entries = yield* readAll(look, `tables of mm ${mm}`);
  const pages: number[] = [];
  for (let i = 0; i < entries.length; i += 2) {
    const [isPgd, va] = [entries[i] as number, entries[i + 1] as number];
    const page = yield* isPgd === 1 ? tables.clearPgd(context, mm, va) : tables.clearPmd(context, mm, va);
    if (page !== undefined) pages.push(page);
  }
  return pages;
}
