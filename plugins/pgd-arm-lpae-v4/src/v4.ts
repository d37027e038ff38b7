import type { FramesPlugin, PgdPlugin, PgdTables, View } from '@tablewalk/contracts';
import { addIdentityMap, doTranslationFault, freeEntryZero, freePgtables } from '@tablewalk/pgd';
import { freePmdPages, kernelStart } from '@tablewalk/pgd';

/**
 * First levels under LPAE as proposed in "[PATCH v4 09/19] ARM: LPAE: Page table maintenance for the 3-level format"
 * (linux-arm-kernel, January and February 2011), with the leak that the review found.
 *
 * pgd_free gives entry 0 back only where the vectors are low, which they never are with LPAE. The loop after it does
 * free the page of pmds at entry 0, but not the page of ptes that its first entry leads to: free_pgtables leaves that
 * one, for FIRST_USER_ADDRESS is not 0. A page is lost for every process that had a mapping in its first two
 * megabytes (HB-22). The rest is as it was merged without the ceiling.
 */
const ADDRESSES_END = 2 ** 32;

export function v4(frames: FramesPlugin, tables: PgdTables, taskSize: number): PgdPlugin {
  const start = kernelStart(tables);
  return {
    *allocate(context, mm) {
      if (!(yield* tables.boot(context))) return false;
      if (!(yield* tables.allocate(context, mm, start, ADDRESSES_END))) return false;
      if (yield* tables.populatePgd(context, mm, tables.modulesStart)) return true;
      yield* tables.free(context, mm);
      return false;
    },

    freePgtables: (context, mm) => freePgtables(tables, context, mm, { taskSize, ceiling: 0 }),

    *free(context, mm) {
      if (tables.lowVectors) yield* freeEntryZero(tables, frames, context, mm);
      const own = (view: View, va: number): boolean => !tables.isSwapperEntry(view, mm, va);
      yield* freePmdPages(tables, frames, context, mm, own);
      yield* tables.free(context, mm);
    },

    translationFault: (context, va) => doTranslationFault(tables, context, va),
    identityMap: (context, mm, from, to) => addIdentityMap(tables, context, mm, from, to, 'empty'),
  };
}
