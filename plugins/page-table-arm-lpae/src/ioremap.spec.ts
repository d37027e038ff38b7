import { memoryKey, walkResult, wordAt } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const DEVICE = 0x4000_0000;
const BYTES = 2 ** 21;
const POLICIES = ['ioremap-pages', 'ioremap-sections-vmalloc-seq', 'ioremap-sections-ipi'];
const SPLITS = ['0xc0000000', '0x80000000', '0x40000000'];

/** Where a walk of the tables of an mm leads; undefined: a fault. */
function reach(bench: Lab, mm: number, va: number): number | undefined {
  const table = bench.slots['page-table'];
  const result = walkResult();
  const walker = table.walker({ read32: (pa) => wordAt(bench.view(memoryKey), pa) });
  walker.walk(table.ttbr(bench.view, mm), va, 0, result);
  return result.fault === 0 ? result.pfn * 4096 + (va % 2 ** result.pageShift) : undefined;
}

/** spec/page-tables.md, 6: a kernel region is removed for all at once, and needs no sequence. */
describe.each(POLICIES)('%s on three levels', (ioremap) => {
  it.each(SPLITS)(
    'PAGE_OFFSET %s: mapped and unmapped in every address space, without a fault',
    (pageOffset) => {
      const slots = { ioremap, 'page-table': { use: manifest.id, pageOffset } };
      const bench = new Lab({ cpus: 1, ram: '4MiB', known: [manifest], slots });
      for (const mm of [1, 2]) bench.process(mm);
      bench.switchTo(0, 1);
      const mapped = [0, 1].map((i) =>
        bench.do(0, bench.slots.ioremap.ioremap(context, DEVICE + i * BYTES, BYTES)),
      );
      for (const [i, va = 0] of mapped.entries())
        for (const mm of [0, 1, 2])
          for (const offset of [0, 0x1000, BYTES - 4])
            expect(reach(bench, mm, va + offset)).toBe(DEVICE + i * BYTES + offset);
      const [first = 0, second = 0] = mapped;
      bench.do(0, bench.slots.ioremap.iounmap(context, first));
      for (const mm of [0, 1, 2]) {
        expect(reach(bench, mm, first)).toBeUndefined();
        expect(reach(bench, mm, second)).toBe(DEVICE + BYTES);
      }
      const again = bench.do(0, bench.slots.ioremap.ioremap(context, DEVICE + 4 * BYTES, BYTES));
      expect(again).toBe(first);
      for (const mm of [0, 1, 2]) expect(reach(bench, mm, first)).toBe(DEVICE + 4 * BYTES);
    },
  );
});
