import type { FramesPlugin, PgdPlugin, PgdTables, View } from '@tablewalk/contracts';
import { addIdentityMap, doTranslationFault, freeEntryZero, freePgtables } from '@tablewalk/pgd';
import { freePmdPages, kernelStart } from '@tablewalk/pgd';
import type { IdentityMapPolicy } from '@tablewalk/pgd';

/**
 * First levels under LPAE as merged in Linux 3.3 (arch/arm/mm/pgd.c, idmap.c; spec/page-tables.md, 5.4 option A,
 * 5.5, 5.6). Modules and pkmap lie in the user's top GiB. So pgd_alloc gives every address space a page of pmds of
 * its own there, in which faults put init_mm's entries one by one; pgd_free gives it back.
 *
 * 1. A pgd entry that leads to a page of pmds of swapper_pg_dir carries L_PGD_SWAPPER, and is not freed.
 * 2. With the ceiling, the page for modules lives from pgd_alloc to pgd_free (3.10 and later). Without, free_pgtables
 *    takes it while its CPU may still need it; a fault then copies init_mm's entry, with the flag.
 */
export interface MergedConfig {
  /** USER_PGTABLES_CEILING is TASK_SIZE (3.10), or 0 (3.3 to 3.8): the window of a dying pgd (HB-21). */
  readonly ceiling: boolean;
  /** pgd_free looks at L_PGD_SWAPPER. Without it, it takes every entry below PAGE_OFFSET for the mm's own. */
  readonly swapperFlag: boolean;
  /** An identity map in a GiB of the kernel's begins with what init_mm has there, or wrongly (HB-23). */
  readonly idmap: IdentityMapPolicy;
}

const ADDRESSES_END = 2 ** 32;

export function merged(
  config: MergedConfig,
  frames: FramesPlugin,
  tables: PgdTables,
  taskSize: number,
): PgdPlugin {
  const start = kernelStart(tables);
  const space = { taskSize, ceiling: config.ceiling ? taskSize : 0 };

  return {
    *allocate(context, mm) {
      if (!(yield* tables.boot(context))) return false;
      if (!(yield* tables.allocate(context, mm, start, ADDRESSES_END))) return false;
      if (yield* tables.populatePgd(context, mm, tables.modulesStart)) return true;
      yield* tables.free(context, mm);
      return false;
    },

    freePgtables: (context, mm) => freePgtables(tables, context, mm, space),

    *free(context, mm) {
      yield* freeEntryZero(tables, frames, context, mm);
      const own = (view: View, va: number): boolean =>
        config.swapperFlag ? !tables.isSwapperEntry(view, mm, va) : va < start;
      yield* freePmdPages(tables, frames, context, mm, own);
      yield* tables.free(context, mm);
    },

    translationFault: (context, va) => doTranslationFault(tables, context, va),

    identityMap: (context, mm, from, to) => addIdentityMap(tables, context, mm, from, to, config.idmap),
  };
}
