import { assert } from '@tablewalk/base';
import { lock, memoryKey, order, pageTableLock } from '@tablewalk/contracts';
import { read, readAll, unlock, wordAt } from '@tablewalk/contracts';
import type { FramesPlugin, KernelTables, ProgramContext, Routine, View } from '@tablewalk/contracts';
import type { MemoryMap } from '@tablewalk/memory-map';
import { deviceSection, PAIR_SIZE, SECTION_SIZE } from './descriptors.ts';
import { ptePageOf } from './pte-page.ts';
import {
  armShortKey,
  INIT_MM,
  linuxPte,
  linuxPteAddress,
  pairOf,
  tableOrder,
  wordAddress,
} from './tables.ts';
import type { ArmShortConfig } from './tables.ts';

/**
 * Kernel mappings in vmalloc space: init_mm's first-level words, the second-level tables that all share, and
 * the copies. After arch/arm/mm/ioremap.c, fault.c and include/asm/pgalloc.h; spec/page-tables.md, 1.8 and
 * 3.3. A pair is stored and copied word by word, so that walkers may see half of it; the memcpy of all
 * vmalloc words is one step.
 */
export function kernelTables(
  config: ArmShortConfig,
  { vmallocStart, vmallocEnd }: MemoryMap,
  frames: FramesPlugin,
  boot: (context: ProgramContext) => Routine<boolean>,
): KernelTables {
  const ptePage = ptePageOf(config.pteLayout);
  const swapper = (view: View): number => view(armShortKey).pgd[INIT_MM] ?? 0;
  const masterWord = (view: View, va: number): number =>
    swapper(view) === 0 ? 0 : wordAt(view(memoryKey), wordAddress(swapper(view), va));

  /** Address of init_mm's word for an address, and what is in it: one look. */
  const readWord = (va: number): Routine<readonly number[]> =>
    readAll((view) => [wordAddress(swapper(view), va), masterWord(view, va)], "init_mm's word");

  return {
    vmallocStart,
    vmallocEnd,
    pmdSize: PAIR_SIZE,
    boot,
    entry(view, va) {
      const type = masterWord(view, va) & 0b11;
      return type === 0b01 ? 'table' : type === 0b10 ? 'sections' : 'none';
    },

    *setSections(_context, va, pa) {
      for (const half of [0, SECTION_SIZE]) {
        const word = yield* read((view) => wordAddress(swapper(view), va + half), "init_mm's pgd");
        yield* order(tableOrder('StoreKernelSection', INIT_MM, va + half, word, deviceSection(pa + half)));
      }
    },

    *clearPmd(_context, va) {
      let table: number | undefined;
      for (const half of [0, SECTION_SIZE]) {
        const [pa, word] = (yield* readWord(va + half)) as [number, number];
        if ((word & 0b11) === 0b01) table = Math.floor(word / 4096);
        yield* order(tableOrder('ClearKernelWord', INIT_MM, va + half, pa, word));
      }
      return table;
    },

    // __pte_alloc_kernel (mm/memory.c): allocated before the lock is taken, looked for under it.
    *populate({ cpu }, va) {
      const pfn = yield* frames.allocate('page-table', 0);
      if (pfn === undefined) return false;
      yield* lock(cpu, pageTableLock(INIT_MM));
      const there = yield* read((view) => masterWord(view, va) & 0b11, "init_mm's word");
      if (there === 0) yield* order(tableOrder('PopulateKernelPmd', INIT_MM, pairOf(va), pfn * 4096));
      yield* unlock(cpu, pageTableLock(INIT_MM));
      if (there !== 0) yield* frames.free(pfn);
      return true;
    },

    *setPte(_context, va, pfn) {
      const word = ptePage.encodeDevice(pfn);
      const address = yield* storeLinuxPte(va, word);
      yield* order(tableOrder('SetKernelHwPte', INIT_MM, va, address, word));
    },

    *clearPte(_context, va) {
      const word = yield* read((view) => linuxPte(view, INIT_MM, va), "init_mm's pte");
      if (word === 0) return;
      const address = yield* storeLinuxPte(va, 0);
      yield* order(tableOrder('ClearKernelHwPte', INIT_MM, va, address, word));
    },

    *copyVmalloc(_context, mm) {
      const pgd = yield* read((view) => view(armShortKey).pgd[mm] ?? 0, `pgd of mm ${mm}`);
      const words = (vmallocEnd - vmallocStart) / SECTION_SIZE;
      yield* order(tableOrder('CopyKernelWords', mm, vmallocStart, pgd, words));
    },
  };
}

/** First step of set_pte_ext. Answers the address of the Linux word. */
function* storeLinuxPte(va: number, word: number): Routine<number> {
  const address = yield* read((view) => linuxPteAddress(view, INIT_MM, va) ?? 0, "init_mm's table");
  assert(address !== 0, `init_mm has no second-level table for ${va}`);
  yield* order(tableOrder('StoreLinuxPte', INIT_MM, va, address, word));
  return address;
}
