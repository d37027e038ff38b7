import { readAll } from '@tablewalk/contracts';
import type { FramesPlugin, PgdTables, ProgramContext, Routine, View } from '@tablewalk/contracts';

/**
 * Parts of pgd_free and init_idmap for tables of three levels (Linux 3.3 to 3.16 arch/arm/mm/pgd.c, idmap.c;
 * spec/page-tables.md, 5.5): a page of pmds stands behind each entry of a first level.
 */

/** PAGE_OFFSET: the pgd entries from here on are the kernel's alone; the one below it is shared with modules. */
export const kernelStart = ({ modulesStart, pgdirSize }: PgdTables): number =>
  (Math.floor(modulesStart / pgdirSize) + 1) * pgdirSize;

/**
 * What free_pgtables has left at address 0, for FIRST_USER_ADDRESS is not 0: the page of ptes of the first pmd
 * entry, and the page of pmds.
 */
export function* freeEntryZero(
  tables: PgdTables,
  frames: FramesPlugin,
  context: ProgramContext,
  mm: number,
): Routine {
  const ptes = yield* tables.clearPmd(context, mm, 0);
  if (ptes !== undefined) yield* frames.free(ptes);
  const pmds = yield* tables.clearPgd(context, mm, 0);
  if (pmds !== undefined) yield* frames.free(pmds);
}

/** The loop of pgd_free: pages of pmds behind the entries for which `own` holds. */
export function* freePmdPages(
  tables: PgdTables,
  frames: FramesPlugin,
  context: ProgramContext,
  mm: number,
  own: (view: View, va: number) => boolean,
): Routine {
  const entries = yield* readAll(
    (view) => tables.pgdTables(view, mm, 0, tables.entries * tables.pgdirSize).filter((va) => own(view, va)),
    `pgd entries of mm ${mm}`,
  );
  for (const va of entries) {
    const page = yield* tables.clearPgd(context, mm, va);
    if (page !== undefined) yield* frames.free(page);
  }
}

/**
 * What becomes of a pgd entry that leads to a page of pmds of swapper_pg_dir. `copy`: a page of its own, with what
 * init_mm has there. `empty`: a page of its own, and the kernel is gone from that GiB (HB-23). `through`: nothing, so
 * that init_mm's page is written (L5): what the check of L_PGD_SWAPPER is for.
 */
export type IdentityMapPolicy = 'copy' | 'empty' | 'through';

/**
 * idmap_add_pmd for `[start, end)`: an entry that is none gets a page, one of init_mm's what `policy` says. False: no
 * memory.
 */
export function* addIdentityMap(
  tables: PgdTables,
  context: ProgramContext,
  mm: number,
  start: number,
  end: number,
  policy: IdentityMapPolicy,
): Routine<boolean> {
  const { pgdirSize, pmdSize } = tables;
  for (let pgd = start - (start % pgdirSize); pgd < end; pgd += pgdirSize) {
    const [swappers, lacks] = (yield* readAll((view) => {
      const isSwapper = policy !== 'through' && tables.isSwapperEntry(view, mm, pgd);
      const has = tables.pgdTables(view, mm, pgd, pgd + 1).length === 1;
      return [Number(isSwapper), Number(isSwapper || !has)];
    }, 'pgd entry')) as [number, number];
    if (swappers === 1) yield* tables.clearPgd(context, mm, pgd);
    if (lacks === 1 && !(yield* tables.populatePgd(context, mm, pgd))) return false;
    if (swappers === 1 && policy === 'copy' && tables.copyPmdTable !== undefined)
      yield* tables.copyPmdTable(context, mm, pgd);
    const last = Math.min(end, pgd + pgdirSize);
    for (let va = Math.max(pgd, start - (start % pmdSize)); va < last; va += pmdSize)
      yield* tables.setSection(context, mm, va, va);
  }
  return true;
}
