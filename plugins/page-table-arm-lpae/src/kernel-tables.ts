import { assert } from '@tablewalk/base';
import { order, read, readAll } from '@tablewalk/contracts';
import type { FramesPlugin, KernelTables, PgdTables, Routine, View } from '@tablewalk/contracts';
import type { MemoryMap } from '@tablewalk/memory-map';
import { PMD_SIZE } from './geometry.ts';
import { addressOf, deviceBlock, devicePte, isBlock, isNone, isTable } from './linux-bits.ts';
import { lpaeOrder } from './orders.ts';
import { populatePte } from './populate.ts';
import { INIT_MM, pgdOf, pmdAddress, pmdEntry, pteAddress, pteWord } from './tables.ts';

/**
 * Kernel mappings in vmalloc space (arch/arm/mm/ioremap.c, spec/ioremap.md). It lies above PAGE_OFFSET, and there
 * every address space has init_mm's pages of pmds, by TTBR1 or by copied pgd entries: what is set and cleared is seen
 * by all at once, and check_vmalloc_seq is compiled to nothing. Copies remain for address spaces that have pages of
 * pmds of their own for the kernel (spec/page-tables.md, 5.4, option D).
 */
export function lpaeKernelTables(map: MemoryMap, frames: FramesPlugin, { boot }: PgdTables): KernelTables {
  const swapper = (view: View): number => pgdOf(view, INIT_MM);

  return {
    vmallocStart: map.vmallocStart,
    vmallocEnd: map.vmallocEnd,
    pmdSize: PMD_SIZE,
    boot,
    entry(view, va) {
      const entry = pmdEntry(view, swapper(view), va);
      return isTable(entry) ? 'table' : isBlock(entry) ? 'sections' : 'none';
    },

    *setSections(_context, va, pa) {
      const place = yield* read((view) => pmdAddress(view, swapper(view), va) ?? 0, "init_mm's pmd");
      yield* order(lpaeOrder('MapKernelBlock', INIT_MM, { va, pa: place, word: deviceBlock(pa) }));
    },
    *clearPmd(_context, va) {
      const [table] = yield* readAll((view) => {
        const entry = pmdEntry(view, swapper(view), va);
        return isTable(entry) ? [addressOf(entry) / 4096] : [];
      }, "init_mm's pmd");
      yield* order(lpaeOrder('ClearPmd', INIT_MM, { va }));
      return table;
    },
    populate: (context, va) => populatePte(context, frames, INIT_MM, va),
    *setPte(_context, va, pfn) {
      const place = yield* ptePlaceOf(va);
      yield* order(lpaeOrder('SetKernelPte', INIT_MM, { va, pa: place, word: devicePte(pfn) }));
    },
    *clearPte(_context, va) {
      const [lo, hi] = (yield* readAll((view) => {
        const word = pteWord(view, swapper(view), va);
        return [word.lo, word.hi];
      }, "init_mm's pte")) as [number, number];
      if (isNone({ lo, hi })) return;
      const place = yield* ptePlaceOf(va);
      yield* order(lpaeOrder('ClearKernelPte', INIT_MM, { va, pa: place, word: { lo, hi } }));
    },

    *copyVmalloc(_context, mm) {
      const own = yield* read(
        (view) => Number(ownTables(view, mm, map)),
        "pages of pmds that are not init_mm's",
      );
      const count = (map.vmallocEnd - map.vmallocStart) / PMD_SIZE;
      if (own === 1) yield* order(lpaeOrder('CopyPmds', mm, { va: map.vmallocStart, count }));
    },
  };
}

function* ptePlaceOf(va: number): Routine<number> {
  const place = yield* read((view) => pteAddress(view, pgdOf(view, INIT_MM), va) ?? 0, "init_mm's table");
  assert(place !== 0, `init_mm has no table of ptes for ${va}`);
  return place;
}

/** Has the mm, for some of vmalloc space, a page of pmds that is not init_mm's? */
function ownTables(view: View, mm: number, { vmallocStart, vmallocEnd }: MemoryMap): boolean {
  for (const va of [vmallocStart, vmallocEnd - 1]) {
    const own = pmdAddress(view, pgdOf(view, mm), va);
    if (own !== undefined && own !== pmdAddress(view, pgdOf(view, INIT_MM), va)) return true;
  }
  return false;
}
