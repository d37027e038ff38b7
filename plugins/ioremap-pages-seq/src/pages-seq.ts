import type { IoremapPlugin } from '@tablewalk/contracts';
import { catchUp, deviceMappings, incrementVmallocSeq } from '@tablewalk/vmalloc';
import type { CopyOrder, VmallocDeps } from '@tablewalk/vmalloc';

/**
 * Pages in tables that all address spaces share, as ioremap-pages, and a number that counts what is added to init_mm's
 * first level (Linux 5.18, commits d31e23aff011 and a1c510d0adc6; spec/ioremap.md, 4). Where a kernel stack lies in
 * vmalloc space no fault can mend its own first-level word: the handler would push on that very stack. So tables that
 * are behind are copied when they are switched to, before TTBR0 is loaded.
 *
 * 1. arch_sync_kernel_mappings counts once for a range, when its pages are set (PGTBL_PMD_MODIFIED).
 * 2. Who finds the word of his range there does not count: whoever added it will, and may not have done so yet.
 * 3. That the number is read before the words are copied needs an acquire since 93ee385254d5 (6.13).
 */
export interface PagesSeqConfig {
  readonly order: CopyOrder;
  readonly syncOnError: boolean;
}

export const pagesSeq = ({ order, syncOnError }: PagesSeqConfig, deps: VmallocDeps): IoremapPlugin => ({
  ...deviceMappings(deps, undefined, { sync: incrementVmallocSeq, syncOnError }),
  checkVmallocSeq: (context, mm) => catchUp(deps.kernel, context, mm, order),
});
