import { present } from '@tablewalk/base';
import { memoryKey, walkResult, wordAt } from '@tablewalk/contracts';
import type { WalkResult } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const DEVICE = 0x4800_0000;

function lab(knobs: object = {}): Lab {
  const slots = { pgd: manifest.id, 'page-table': { use: 'page-table-arm-lpae', ...knobs } };
  const bench = new Lab({ cpus: 1, ram: '4MiB', known: [manifest], slots });
  bench.process(1);
  bench.switchTo(0, 1);
  return bench;
}
function walk(bench: Lab, mm: number, va: number): WalkResult {
  const table = bench.slots['page-table'];
  const result = walkResult();
  const walker = table.walker({ read32: (pa) => wordAt(bench.view(memoryKey), pa) });
  walker.walk(table.ttbr(bench.view, mm), va, 0, result);
  return result;
}
const inUse = (bench: Lab): number =>
  bench.factsOf('PageAllocated').length - bench.factsOf('PageFreed').length;

/** Option D of spec/page-tables.md, 5.4. */
describe('pgd-arm-lpae-four-pmd', () => {
  it('an address space has four pages of pmds from the beginning to the end, and 20 KiB in all', () => {
    const bench = lab();
    const { pgd, frames, 'page-table': table } = bench.slots;
    expect(inUse(bench)).toBe(5);
    for (const va of [0x8000, 0x4000_0000, 0xbeff_f000])
      expect(bench.do(0, table.populate(context, 1, va))).toBe(true);
    expect(inUse(bench)).toBe(8);
    for (const pfn of bench.do(0, pgd.freePgtables(context, 1))) bench.do(0, frames.free(pfn));
    expect(inUse(bench), 'the table at address 0 waits for pgd_free').toBe(6);
    bench.switchTo(0, 0);
    bench.do(0, pgd.free(context, 1));
    expect(inUse(bench)).toBe(0);
  });

  it.each([
    ['0xc0000000', true],
    ['0x40000000', false],
  ])('PAGE_OFFSET %s: what the kernel adds is seen by all at once: %s', (pageOffset, atOnce) => {
    const bench = lab({ pageOffset });
    const kernel = present(bench.slots['page-table'].kernel, 'kernel');
    const va = kernel.vmallocStart;
    bench.do(0, kernel.setSections(context, va, DEVICE));
    expect(walk(bench, 1, va).fault === 0).toBe(atOnce);
    expect(bench.do(0, bench.slots.pgd.translationFault(context, va))).toBe(true);
    expect(walk(bench, 1, va)).toMatchObject({ fault: 0, pfn: DEVICE / 4096 });
  });
});
