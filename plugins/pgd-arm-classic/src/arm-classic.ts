import type { FramesPlugin, PgdPlugin, PgdTables } from '@tablewalk/contracts';
import { doTranslationFault, freePgtables } from '@tablewalk/pgd';
import type { TranslationFaultPolicy } from '@tablewalk/pgd';

/**
 * First levels of two-level tables as ARM Linux keeps them (2.6.39: arch/arm/mm/pgd.c, fault.c; spec/page-tables.md,
 * 3). The kernel's entries are copied from init_mm when an address space is made; what init_mm gets later is copied
 * by faults. That adds and never takes away: who changes a valid entry has to reach every first level.
 *
 * Every choice but the defaults is wrong; `first` is what Linux had until commit 33a9c41bf5d8.
 */
export interface ArmClassicConfig extends Required<TranslationFaultPolicy> {
  /**
   * When pgd_free gives back the table at address 0, which free_pgtables leaves for FIRST_USER_ADDRESS is not 0.
   * `if-low-vectors` leaks it for every process that had a mapping in its first two megabytes (PT-2).
   */
  readonly freeEntryZero: 'always' | 'if-low-vectors';
}

const ADDRESSES_END = 2 ** 32;

export function armClassic(
  config: ArmClassicConfig,
  frames: FramesPlugin,
  tables: PgdTables,
  taskSize: number,
): PgdPlugin {
  return {
    *allocate(context, mm) {
      if (!(yield* tables.boot(context))) return false;
      if (!(yield* tables.allocate(context, mm, taskSize, ADDRESSES_END))) return false;
      if (tables.mapLowVectors === undefined || !tables.lowVectors) return true;
      if (yield* tables.mapLowVectors(context, mm)) return true;
      yield* tables.free(context, mm);
      return false;
    },

    freePgtables: (context, mm) => freePgtables(tables, context, mm, { taskSize, ceiling: 0 }),

    *free(context, mm) {
      if (config.freeEntryZero === 'always' || tables.lowVectors) {
        const page = yield* tables.clearPmd(context, mm, 0);
        if (page !== undefined) yield* frames.free(page);
      }
      yield* tables.free(context, mm);
    },

    translationFault: (context, va) => doTranslationFault(tables, context, va, config),
  };
}
