import type { VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };

/** Pages that are still allocated after so many processes have come, mapped a page at `va`, and gone. */
function kept(pgd: string, processes: number, va: number): number[] {
  const slots = { pgd, 'page-table': 'page-table-arm-lpae' };
  const bench = new Lab({ cpus: 1, ram: '4MiB', known: [manifest], slots });
  for (let mm = 1; mm <= processes; mm++) {
    bench.do(0, bench.slots.pgd.allocate(context, mm));
    bench.do(0, bench.slots['page-table'].populate(context, mm, va));
    for (const pfn of bench.do(0, bench.slots.pgd.freePgtables(context, mm)))
      bench.do(0, bench.slots.frames.free(pfn));
    bench.do(0, bench.slots.pgd.free(context, mm));
  }
  const inUse = new Set<number>();
  for (const { fact } of bench.facts) {
    const { type, pfn } = fact as VocabularyFactOf<'PageAllocated' | 'PageFreed'>;
    if (type === 'PageAllocated') inUse.add(pfn);
    else if (type === 'PageFreed') expect(inUse.delete(pfn)).toBe(true);
  }
  return [...inUse];
}

/**
 * "As FIRST_USER_ADDRESS is nonzero, the first pmd and pte table will remain allocated in spite of
 * free_pgtables()" (Russell King in the review).
 */
describe('HB-22', () => {
  it('a page of ptes is lost for every process with a mapping in its first two megabytes', () => {
    expect(kept(manifest.id, 5, 0x8000).length).toBe(5);
    expect(kept('pgd-arm-lpae-merged', 5, 0x8000)).toEqual([]);
  });

  it('and for no other: the page of pmds goes in the loop over all entries', () => {
    expect(kept(manifest.id, 5, 0x20_0000)).toEqual([]);
  });
});
