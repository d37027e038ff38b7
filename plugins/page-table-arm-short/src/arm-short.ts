import { assert } from '@tablewalk/base';
import { lock, order, pageTableLock, read, readMaybe, unlock } from '@tablewalk/contracts';
import type {
  FramesPlugin,
  MachineFacts,
  PageTablePlugin,
  ProgramContext,
  Routine,
} from '@tablewalk/contracts';
import { memoryMap } from '@tablewalk/memory-map';
import { LinuxPte } from './descriptors.ts';
import { kernelTables } from './kernel-tables.ts';
import { shortWalker, shortWalkSteps } from './linux-walks.ts';
import { pgdTables } from './pgd-tables.ts';
import { ptePageOf } from './pte-page.ts';
import { armShortKey, armShortTables, linuxPte, linuxPteAddress, pairOf, presentPages } from './tables.ts';
import { mapConfigOf, tableOrder } from './tables.ts';
import type { ArmShortConfig } from './tables.ts';

/**
 * The short format as Linux folds it: a first level of 16 KiB, handled in pairs of
 * 2 MiB, and for each pair a page that holds two Linux tables and the two that the hardware walks.
 * Routines follow arch/arm/mm/pgd.c, arch/arm/include/asm/pgalloc.h and pgtable.h; spec/page-tables.md.
 */
export function armShort(
  config: ArmShortConfig,
  frames: FramesPlugin,
  machine: MachineFacts,
): PageTablePlugin {
  const map = memoryMap(mapConfigOf(config, machine));
  const { taskSize } = map;
  const page = ptePageOf(config.pteLayout);

  /** First step of set_pte_ext: the Linux word. Answers its address; the hardware's word is the next step. */
  function* storeLinuxPte(mm: number, va: number, word: number): Routine<number> {
    const address = yield* readMaybe((view) => linuxPteAddress(view, mm, va), 'where the pte is');
    assert(address !== undefined, `mm ${mm} has no second-level table for ${va}`);
    yield* order(tableOrder('StoreLinuxPte', mm, va, address, word));
    return address;
  }

  // __pte_alloc (mm/memory.c): the table is allocated before page_table_lock is taken, and looked for under it.
  function* populate({ cpu }: ProgramContext, mm: number, va: number): Routine<boolean> {
    const pfn = yield* frames.allocate('page-table', 0);
    if (pfn === undefined) return false;
    yield* lock(cpu, pageTableLock(mm));
    const there = yield* read((view) => Number(linuxPteAddress(view, mm, va) !== undefined));
    if (there === 0) yield* order(tableOrder('PopulatePmd', mm, pairOf(va), pfn * 4096));
    yield* unlock(cpu, pageTableLock(mm));
    if (there === 1) yield* frames.free(pfn);
    return true;
  }

  const pgd = pgdTables(config, map, frames, populate);
  // No mapping of a process is below FIRST_USER_ADDRESS; what is there is not its own.
  const firstPage = pgd.lowVectors ? pgd.firstUserAddress : 0;

  return {
    component: armShortTables(config, map, machine),
    vaBits: 32,
    taskSize,
    walker: shortWalker,
    walkSteps: shortWalkSteps,
    kernel: kernelTables(config, map, frames, pgd.boot),
    pgd,
    ttbr: (view, mm) => view(armShortKey).pgd[mm] ?? 0,
    lookup: (view, mm, va) => page.decode(linuxPte(view, mm, va)),
    hasTable: (view, mm, va) => linuxPteAddress(view, mm, va) !== undefined,
    mappedPages: (view, mm) => presentPages(view, mm, firstPage, taskSize),

    populate,

    *setPte(_context, mm, va, pte) {
      const word = page.encode(pte);
      const address = yield* storeLinuxPte(mm, va, word);
      yield* order(tableOrder('SetHwPte', mm, va, address, word));
    },

    *clearPte(_context, mm, va) {
      const word = yield* read((view) => linuxPte(view, mm, va), 'Linux pte');
      const pte = page.decode(word);
      if (pte === undefined) return undefined;
      const address = yield* storeLinuxPte(mm, va, 0);
      yield* order(tableOrder('ClearHwPte', mm, va, address, word));
      return pte;
    },

    *clearYoung(_context, mm, va) {
      const word = yield* read((view) => linuxPte(view, mm, va), 'Linux pte');
      if ((word & LinuxPte.young) === 0) return false;
      const old = (word & ~LinuxPte.young) >>> 0;
      const address = yield* storeLinuxPte(mm, va, old);
      yield* order(tableOrder('AgeHwPte', mm, va, address, old));
      return true;
    },
  };
}
