import { assert } from '@tablewalk/base';
import { lock, order, pageTableLock, read, readAll, readMaybe, unlock } from '@tablewalk/contracts';
import type {
  FramesPlugin,
  MachineFacts,
  PageTablePlugin,
  ProgramContext,
  Routine,
} from '@tablewalk/contracts';
import { decodeLinux, encodeLinux, LinuxPte, PAIR_SIZE } from './descriptors.ts';
import { kernelTables } from './kernel-tables.ts';
import { shortWalker, shortWalkSteps } from './linux-walks.ts';
import { armShortKey, armShortTables, INIT_MM, linuxPte, linuxPteAddress, presentPages } from './tables.ts';
import { tableOrder, tablesOf, taskSizeOf } from './tables.ts';
import type { ArmShortConfig } from './tables.ts';

const PGD_LOCK = 'pgd_lock';

/**
 * The short format as Linux folds it, from 2.6.38 on: a first level of 16 KiB, handled in pairs of
 * 2 MiB, and for each pair a page that holds two Linux tables and the two that the hardware walks.
 * Routines follow arch/arm/mm/pgd.c, arch/arm/include/asm/pgalloc.h and pgtable.h; spec/page-tables.md.
 */
export function armShort(
  config: ArmShortConfig,
  frames: FramesPlugin,
  machine: MachineFacts,
): PageTablePlugin {
  const taskSize = taskSizeOf(config);

  function* pgdAlloc(mm: number): Routine<boolean> {
    const pfn = yield* frames.allocate('page-table', 2);
    if (pfn === undefined) return false;
    yield* order(tableOrder('AllocatePgd', mm, 0, pfn * 4096));
    return true;
  }

  /** First step of set_pte_ext: the Linux word. Answers its address; the hardware's word is the next step. */
  function* storeLinuxPte(mm: number, va: number, word: number): Routine<number> {
    const address = yield* readMaybe((view) => linuxPteAddress(view, mm, va), 'where the pte is');
    assert(address !== undefined, `mm ${mm} has no second-level table for ${va}`);
    yield* order(tableOrder('StoreLinuxPte', mm, va, address, word));
    return address;
  }

  /** swapper_pg_dir, which the first process does not find; two CPUs must not both make one. */
  function* boot({ cpu }: ProgramContext): Routine<boolean> {
    yield* lock(cpu, PGD_LOCK);
    const booted = yield* read(
      (view) => Number(view(armShortKey).pgd[INIT_MM] !== undefined),
      'swapper_pg_dir',
    );
    const ready = booted === 1 || (yield* pgdAlloc(INIT_MM));
    yield* unlock(cpu, PGD_LOCK);
    return ready;
  }

  return {
    component: armShortTables(config, machine),
    vaBits: 32,
    taskSize,
    walker: shortWalker,
    walkSteps: shortWalkSteps,
    kernel: kernelTables(config, frames, machine, boot),
    ttbr: (view, mm) => view(armShortKey).pgd[mm] ?? 0,
    lookup: (view, mm, va) => decodeLinux(linuxPte(view, mm, va)),
    hasTable: (view, mm, va) => linuxPteAddress(view, mm, va) !== undefined,
    mappedPages: (view, mm) => presentPages(view, mm, taskSize),

    *createMm(context, mm) {
      return (yield* boot(context)) && (yield* pgdAlloc(mm));
    },

    *freeMm(_context, mm) {
      const tables = yield* readAll((view) => tablesOf(view, mm, taskSize));
      for (let i = 0; i < tables.length; i += 2) {
        const [va, table] = [tables[i] as number, tables[i + 1] as number];
        yield* order(tableOrder('ClearPmd', mm, va, table));
        yield* frames.free(table / 4096);
      }
      const pgd = yield* readMaybe((view) => view(armShortKey).pgd[mm], 'pgd');
      if (pgd === undefined) return;
      yield* order(tableOrder('FreePgd', mm, 0, pgd));
      yield* frames.free(pgd / 4096);
    },

    // __pte_alloc (mm/memory.c): the table is allocated before page_table_lock is taken, and looked for under it.
    *populate({ cpu }, mm, va) {
      const pfn = yield* frames.allocate('page-table', 0);
      if (pfn === undefined) return false;
      yield* lock(cpu, pageTableLock(mm));
      const there = yield* read((view) => Number(linuxPteAddress(view, mm, va) !== undefined));
      if (there === 0)
        yield* order(tableOrder('PopulatePmd', mm, Math.floor(va / PAIR_SIZE) * PAIR_SIZE, pfn * 4096));
      yield* unlock(cpu, pageTableLock(mm));
      if (there === 1) yield* frames.free(pfn);
      return true;
    },

    *setPte(_context, mm, va, pte) {
      const word = encodeLinux(pte);
      const address = yield* storeLinuxPte(mm, va, word);
      yield* order(tableOrder('SetHwPte', mm, va, address, word));
    },

    *clearPte(_context, mm, va) {
      const word = yield* read((view) => linuxPte(view, mm, va), 'Linux pte');
      const pte = decodeLinux(word);
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
