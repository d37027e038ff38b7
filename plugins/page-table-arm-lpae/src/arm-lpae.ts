import { assert } from '@tablewalk/base';
import { order, readAll } from '@tablewalk/contracts';
import type { FramesPlugin, MachineFacts, PageTablePlugin, Routine } from '@tablewalk/contracts';
import { memoryMap, memoryMapConfig } from '@tablewalk/memory-map';
import type { MemoryMapKnobs } from '@tablewalk/memory-map';
import { armLpaeTables } from './component.ts';
import { lpaeKernelTables } from './kernel-tables.ts';
import { decodePte, linuxPte, Lo } from './linux-bits.ts';
import type { Generation, Word64 } from './linux-bits.ts';
import { linuxRegime, lpaeWalker, lpaeWalkSteps } from './linux-walks.ts';
import { lpaeOrder } from './orders.ts';
import { lpaePgdTables } from './pgd-tables.ts';
import { populatePte } from './populate.ts';
import { pgdOf, presentPages, pteAddress, pteWord } from './tables.ts';

export type ArmLpaeConfig = Generation & Omit<MemoryMapKnobs, 'vectors'>;

/** Vectors are always at 0xffff0000. */
export const mapConfigOf = (
  config: ArmLpaeConfig,
  machine: MachineFacts,
): ReturnType<typeof memoryMapConfig> => {
  const { generation: _generation, truncatedPredicates: _truncated, ...knobs } = config;
  return memoryMapConfig({ ...knobs, vectors: 'high' }, machine);
};

/**
 * The long format as Linux has it, from 3.3 on: three levels, the middle one with a page for each GiB. Hardware's
 * bits and Linux's share one word, and it is stored at once: between what software and what a walker sees there is no
 * step. Routines follow arch/arm/include/asm/pgalloc.h, pgtable-3level.h and mm/memory.c; spec/page-tables.md, 5.
 */
export function armLpae(config: ArmLpaeConfig, frames: FramesPlugin, machine: MachineFacts): PageTablePlugin {
  const map = memoryMap(mapConfigOf(config, machine));
  const regime = linuxRegime(config.pageOffset, machine);
  const pgd = lpaePgdTables(map, frames);

  /** One look at a pte: where it is, and what is in it. Nothing where there is no table. */
  function* readPte(mm: number, va: number): Routine<{ place: number; word: Word64 } | undefined> {
    const [place, lo, hi] = yield* readAll((view) => {
      const address = pteAddress(view, pgdOf(view, mm), va);
      const word = pteWord(view, pgdOf(view, mm), va);
      return address === undefined ? [] : [address, word.lo, word.hi];
    }, 'pte');
    if (place === undefined || lo === undefined || hi === undefined) return undefined;
    return { place, word: { lo, hi } };
  }

  return {
    component: armLpaeTables(map, config, machine),
    vaBits: 32,
    taskSize: map.taskSize,
    walker: (memory) => lpaeWalker(regime, memory),
    walkSteps: lpaeWalkSteps(regime),
    kernel: lpaeKernelTables(map, frames, pgd),
    pgd,
    ttbr: pgdOf,
    lookup: (view, mm, va) => decodePte(pteWord(view, pgdOf(view, mm), va), config),
    hasTable: (view, mm, va) => pteAddress(view, pgdOf(view, mm), va) !== undefined,
    mappedPages: (view, mm) => presentPages(view, pgdOf(view, mm), map.taskSize),
    populate: (context, mm, va) => populatePte(context, frames, mm, va),

    *setPte(_context, mm, va, pte) {
      const found = yield* readPte(mm, va);
      assert(found !== undefined, `mm ${mm} has no table of ptes for ${va}`);
      yield* order(lpaeOrder('SetPte', mm, { va, pa: found.place, word: linuxPte(pte, config) }));
    },

    *clearPte(_context, mm, va) {
      const found = yield* readPte(mm, va);
      const pte = found === undefined ? undefined : decodePte(found.word, config);
      if (found === undefined || pte === undefined) return undefined;
      yield* order(lpaeOrder('ClearPte', mm, { va, pa: found.place, word: found.word }));
      return pte;
    },

    *clearYoung(_context, mm, va) {
      const found = yield* readPte(mm, va);
      if (found === undefined || decodePte(found.word, config)?.young !== true) return false;
      const { lo, hi } = found.word;
      const word = { lo: (lo & ~Lo.young) >>> 0, hi };
      yield* order(lpaeOrder('AgePte', mm, { va, pa: found.place, word }));
      return true;
    },
  };
}
