import { lock, order, pageTableLock, read, unlock } from '@tablewalk/contracts';
import type { FramesPlugin, ProgramContext, Routine, View } from '@tablewalk/contracts';
import { lpaeOrder } from './orders.ts';
import { populatePgd } from './pgd-tables.ts';
import { pgdOf, pteAddress } from './tables.ts';

/**
 * pmd_alloc, then __pte_alloc (mm/memory.c). A page of pmds stays when there is no memory for the page of ptes: it
 * is part of the address space, and goes with it.
 */
export function* populatePte(
  context: ProgramContext,
  frames: FramesPlugin,
  mm: number,
  va: number,
): Routine<boolean> {
  if (!(yield* populatePgd(context, frames, mm, va))) return false;
  const hasTable = (view: View): number => Number(pteAddress(view, pgdOf(view, mm), va) !== undefined);
  const pfn = yield* frames.allocate('page-table', 0);
  if (pfn === undefined) return false;
  yield* lock(context.cpu, pageTableLock(mm));
  const there = yield* read(hasTable, 'pmd entry');
  if (there === 0) yield* order(lpaeOrder('PopulatePmd', mm, { va, pa: pfn * 4096 }));
  yield* unlock(context.cpu, pageTableLock(mm));
  if (there === 1) yield* frames.free(pfn);
  return true;
}
