import { present } from '@tablewalk/base';
import { memoryKey, walkResult, wordAt } from '@tablewalk/contracts';
import type { WalkResult } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const MODULES = 0xbf00_0000;
const DEVICE = 0x4800_0000;

function lab(): Lab {
  const slots = { pgd: manifest.id, 'page-table': 'page-table-arm-lpae' };
  const bench = new Lab({ cpus: 1, ram: '4MiB', known: [manifest], slots });
  for (const mm of [1, 2]) expect(bench.do(0, bench.slots.pgd.allocate(context, mm))).toBe(true);
  return bench;
}
function walk(bench: Lab, mm: number, va: number): WalkResult {
  const table = bench.slots['page-table'];
  const result = walkResult();
  const walker = table.walker({ read32: (pa) => wordAt(bench.view(memoryKey), pa) });
  walker.walk(table.ttbr(bench.view, mm), va, 0, result);
  return result;
}
function map(bench: Lab, mm: number, va: number, pfn: number): void {
  bench.do(0, bench.slots['page-table'].populate(context, mm, va));
  bench.do(
    0,
    bench.slots['page-table'].setPte(context, mm, va, { pfn, young: true, dirty: true, write: true }),
  );
}

/** Option B of spec/page-tables.md, 5.4. */
describe('pgd-arm-lpae-shared-pmd', () => {
  it('modules are there without a fault, and an address space takes 32 bytes and no page', () => {
    const bench = lab();
    const kernel = present(bench.slots['page-table'].kernel, 'kernel');
    bench.do(0, kernel.setSections(context, MODULES, DEVICE));
    for (const mm of [1, 2]) expect(walk(bench, mm, MODULES)).toMatchObject({ fault: 0, pfn: DEVICE / 4096 });
    expect(bench.factsOf('PageAllocated').length, 'one slab for both').toBe(1);
  });

  it('below the GiB of modules a process is alone; in it, its pages are those of every other', () => {
    const bench = lab();
    map(bench, 1, 0x4000_0000, 0x80100);
    expect(walk(bench, 2, 0x4000_0000).fault).toBe(1);
    map(bench, 1, 0xbe00_0000, 0x80101);
    expect(walk(bench, 2, 0xbe00_0000)).toMatchObject({ fault: 0, pfn: 0x80101 });
  });

  it("free_pgtables and pgd_free leave init_mm's page of pmds alone", () => {
    const bench = lab();
    map(bench, 1, 0x8000, 0x80100);
    map(bench, 1, 0xbe00_0000, 0x80101);
    const pages = bench.do(0, bench.slots.pgd.freePgtables(context, 1));
    for (const pfn of pages) bench.do(0, bench.slots.frames.free(pfn));
    bench.do(0, bench.slots.pgd.free(context, 1));
    const kept = bench.factsOf('PageAllocated').length - bench.factsOf('PageFreed').length;
    expect(kept, 'the slab, and the page of ptes that is in the tables of all').toBe(2);
  });
});
