import { readAll } from '@tablewalk/contracts';
import type { FramesPlugin, PgdPlugin, PgdTables, ProgramContext, Routine } from '@tablewalk/contracts';
import { doTranslationFault, freeableTables, freePmdPages } from '@tablewalk/pgd';

/**
 * Option D of spec/page-tables.md, 5.4: "pretend that we only have 2 levels of page tables and always allocate 4 PMD
 * pages + 1 PGD" (Catalin Marinas, linux-arm-kernel, 3 February 2011, who did not like it). The four pages are part of
 * the first level, as the 16 KiB of the classic format are: they come and go with it, and free_pgtables looks at pmd
 * entries alone. 20 KiB for every address space, less the pages of other kernels' entries that nobody shares.
 *
 * What the kernel has is copied at creation and by faults, a pmd at a time. As in the classic format that adds and
 * never takes away; with TTBR1 walked for the kernel's GiB the copies there are not looked at.
 */
export function fourPmd(frames: FramesPlugin, tables: PgdTables, taskSize: number): PgdPlugin {
  const { entries, pgdirSize } = tables;
  const all = Array.from({ length: entries }, (_, entry) => entry * pgdirSize);

  function* freeAll(context: ProgramContext, mm: number): Routine {
    yield* freePmdPages(tables, frames, context, mm, () => true);
    yield* tables.free(context, mm);
  }

  return {
    *allocate(context, mm) {
      if (!(yield* tables.boot(context)) || !(yield* tables.allocate(context, mm, 0, 0))) return false;
      for (const va of all) {
        if (!(yield* tables.populatePgd(context, mm, va))) {
          yield* freeAll(context, mm);
          return false;
        }
        // init_mm has entries of the kernel's alone: in the GiB of modules those of modules and pkmap.
        if (va + pgdirSize > tables.modulesStart && tables.copyPmdTable !== undefined)
          yield* tables.copyPmdTable(context, mm, va);
      }
      return true;
    },

    *freePgtables(context, mm) {
      const entriesLeft = yield* readAll(
        (view) =>
          freeableTables(tables, view, mm, { taskSize, ceiling: 0 }).flatMap(({ level, va }) =>
            level === 'pmd' ? [va] : [],
          ),
        `tables of mm ${mm}`,
      );
      const pages: number[] = [];
      for (const va of entriesLeft) {
        const page = yield* tables.clearPmd(context, mm, va);
        if (page !== undefined) pages.push(page);
      }
      return pages;
    },

    *free(context, mm) {
      const ptes = yield* tables.clearPmd(context, mm, 0);
      if (ptes !== undefined) yield* frames.free(ptes);
      yield* freeAll(context, mm);
    },

    translationFault: (context, va) => doTranslationFault(tables, context, va),
  };
}
