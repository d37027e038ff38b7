import type { FramesPlugin, PgdPlugin, PgdTables, View } from '@tablewalk/contracts';
import { doTranslationFault, freeEntryZero, freePgtables, freePmdPages } from '@tablewalk/pgd';

/**
 * Option B of spec/page-tables.md, 5.4: "this should be a copy of the same page tables found in swapper_pg_dir"
 * (Russell King, linux-arm-kernel, 3 February 2011). The pgd entry of modules is copied from init_mm like those above
 * it, so modules and pkmap are there without a fault, and pgd_alloc takes no page.
 *
 * Assumes that no process has a mapping in that GiB. One that has gets it in the tables of all: a page of ptes that
 * is populated there is init_mm's from then on, is seen by every process, and is not given back.
 */
const ADDRESSES_END = 2 ** 32;

export function sharedPmd(frames: FramesPlugin, tables: PgdTables, taskSize: number): PgdPlugin {
  const shared = tables.modulesStart - (tables.modulesStart % tables.pgdirSize);
  return {
    *allocate(context, mm) {
      return (yield* tables.boot(context)) && (yield* tables.allocate(context, mm, shared, ADDRESSES_END));
    },

    freePgtables: (context, mm) => freePgtables(tables, context, mm, { taskSize, ceiling: shared }),

    *free(context, mm) {
      const own = (view: View, va: number): boolean => !tables.isSwapperEntry(view, mm, va);
      if (shared > 0) yield* freeEntryZero(tables, frames, context, mm);
      yield* freePmdPages(tables, frames, context, mm, own);
      yield* tables.free(context, mm);
    },

    translationFault: (context, va) => doTranslationFault(tables, context, va),
  };
}
