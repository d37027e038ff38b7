import { cpusKey, lock, pageTableLock, readAll, unlock } from '@tablewalk/contracts';
import type { PgdTables, ProgramContext, Routine, View } from '@tablewalk/contracts';

export interface TranslationFaultPolicy {
  /**
   * The word of a pair that says whether init_mm has something: that of the faulting address, or the first one
   * (before Linux commit 33a9c41bf5d8; HB-17 of spec/historical-bugs-mapping.md, PT-1). The same where an entry is
   * one word. Default: needed.
   */
  readonly checkHalf?: 'needed' | 'first';
  /** Takes init_mm's page_table_lock, which the interrupted code may hold: wrong (PT-6). Default: false. */
  readonly faultLock?: boolean;
}

const INIT_MM = 0;

/**
 * do_translation_fault for an address that is not user space's (Linux arch/arm/mm/fault.c; spec/page-tables.md,
 * 3.3). It runs in an abort, sleeps never and takes no lock: what is copied is a word, and only ever added. The
 * tables are those in TTBR0, and not those of `current->mm`: a task switch may be half done. True: try again.
 */
export function* doTranslationFault(
  tables: PgdTables,
  context: ProgramContext,
  va: number,
  policy: TranslationFaultPolicy = {},
): Routine<boolean> {
  if (policy.faultLock !== true) return yield* copyEntries(tables, context, va, policy);
  yield* lock(context.cpu, pageTableLock(INIT_MM));
  const copied = yield* copyEntries(tables, context, va, policy);
  yield* unlock(context.cpu, pageTableLock(INIT_MM));
  return copied;
}

function* copyEntries(
  tables: PgdTables,
  context: ProgramContext,
  va: number,
  { checkHalf = 'needed' }: TranslationFaultPolicy,
): Routine<boolean> {
  const looked = checkHalf === 'first' ? va - (va % tables.pmdSize) : va;
  const look = (view: View): number[] => {
    const { ttbr = 0, mm = 0 } = view(cpusKey)[context.cpu] ?? {};
    const init = tables.swapper(view);
    if (ttbr === 0 || init === 0) return [];
    const none = tables.pgdNone(view, init, va);
    const lacks = !none && tables.pgdNone(view, ttbr, va);
    return [ttbr, mm, Number(lacks), Number(none || tables.pmdNone(view, init, looked))];
  };
  const [pgd, mm, lacksPgd, none] = yield* readAll(look, 'TTBR0, and the words there and in init_mm');
  if (pgd === undefined || mm === undefined) return false;
  if (lacksPgd === 1) yield* tables.copyPgd(context, mm, pgd, va);
  if (none === 1) return false;
  yield* tables.copyPmd(context, mm, pgd, va);
  return true;
}
