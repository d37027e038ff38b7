import { present } from '@tablewalk/base';
import { memoryKey, PageFlag, walkResult, wordAt } from '@tablewalk/contracts';
import type { KernelFactOf, KernelTables, VocabularyFactOf, WalkResult } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { swapperAddress } from './geometry.ts';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const DEVICE = 0x4800_0000;
const SWAPPER = swapperAddress({ ramBase: 0x8000_0000 });

/** 2 MiB of RAM; mm 1 on CPU 0. `va` is the first address of vmalloc space. */
function lab(knobs: object = {}, pgd = 'preset'): { bench: Lab; kernel: KernelTables; va: number } {
  const slots = { 'page-table': { use: manifest.id, ...knobs }, pgd };
  const bench = new Lab({ cpus: 2, ram: '2MiB', known: [manifest], slots });
  const kernel = present(bench.slots['page-table'].kernel, 'kernel tables');
  for (const mm of [1, 2]) bench.process(mm);
  bench.switchTo(0, 1);
  return { bench, kernel, va: kernel.vmallocStart };
}
function walk(bench: Lab, mm: number, va: number): WalkResult {
  const table = bench.slots['page-table'];
  const result = walkResult();
  const walker = table.walker({ read32: (pa) => wordAt(bench.view(memoryKey), pa) });
  walker.walk(table.ttbr(bench.view, mm), va, 0, result);
  return result;
}
const stored = (bench: Lab, from: number): number[][] =>
  bench.factsOf<KernelFactOf<'WordStored'>>('WordStored', from).map(({ fact: { pa, value } }) => [pa, value]);

describe('kernel mappings', () => {
  it.each([
    ['2MiB', '0xc0000000', 0xc080_0000],
    ['1GiB', '0xc0000000', 0xf080_0000],
    ['1GiB', '0x80000000', 0xc080_0000],
  ])('%s of RAM from %s: where vmalloc space begins', (ram, pageOffset, start) => {
    const slots = { 'page-table': { use: manifest.id, pageOffset } };
    const { kernel } = new Lab({ cpus: 1, ram, known: [manifest], slots }).slots['page-table'];
    expect([kernel?.vmallocStart, kernel?.vmallocEnd]).toEqual([start, 0xff80_0000]);
  });

  it.each(['0xc0000000', '0x80000000', '0x40000000'])(
    'PAGE_OFFSET %s: a block is one store, and every address space has it at once',
    (pageOffset) => {
      const { bench, kernel, va } = lab({ pageOffset });
      expect(kernel.entry(bench.view, va)).toBe('none');
      const from = bench.facts.length;
      bench.do(0, kernel.setSections(context, va, DEVICE));
      const pmds = SWAPPER + 4096 * (1 + Math.floor(va / 2 ** 30));
      const place = pmds + ((va / 2 ** 21) % 512) * 8;
      expect(stored(bench, from)).toEqual([
        [place, 0x4800_0711],
        [place + 4, 0x0040_0000],
      ]);
      expect(kernel.entry(bench.view, va + 0x1f_ffff)).toBe('sections');
      for (const mm of [0, 1, 2]) {
        const { fault, pfn, pageShift, flags } = walk(bench, mm, va + 0x10_0000);
        expect([fault, pfn, pageShift, flags]).toEqual([0, 0x48000, 21, PageFlag.write | PageFlag.global]);
      }
      expect(bench.do(0, bench.slots.pgd.translationFault(context, va))).toBe(true);
      expect(bench.factsOf('WordsCopied', from), 'nothing to copy').toEqual([]);
      expect(bench.do(0, kernel.clearPmd(context, va))).toBeUndefined();
      for (const mm of [0, 1, 2]) expect(walk(bench, mm, va)).toMatchObject({ fault: 1, level: 2 });
      const types = bench.facts.slice(from).map(({ fact }) => fact.type);
      expect(types.filter((type) => type.startsWith('Kernel'))).toEqual([
        ...['KernelSectionMapped', 'KernelEntriesCopied', 'KernelSectionUnmapped'],
      ]);
    },
  );

  it('check_vmalloc_seq has nothing to do', () => {
    const { bench, kernel, va } = lab();
    bench.do(0, kernel.setSections(context, va, DEVICE));
    const from = bench.facts.length;
    bench.do(0, kernel.copyVmalloc(context, 1));
    expect(bench.facts.length).toBe(from);
  });

  it('a table is one for all; a page of device memory is one store; a table that is cleared is given back', () => {
    const { bench, kernel, va } = lab();
    expect(bench.do(0, kernel.populate(context, va))).toBe(true);
    const page = bench.factsOf<VocabularyFactOf<'PageAllocated'>>('PageAllocated').at(-1)?.fact.pfn;
    expect(kernel.entry(bench.view, va)).toBe('table');
    const from = bench.facts.length;
    bench.do(0, kernel.setPte(context, va + 0x3000, 0x48123));
    expect(stored(bench, from).map(([, value]) => value)).toEqual([0x4812_3713, 0x00c0_0000]);
    for (const mm of [0, 1])
      expect(walk(bench, mm, va + 0x3000)).toMatchObject({ pfn: 0x48123, pageShift: 12 });
    bench.do(0, kernel.clearPte(context, va + 0x3000));
    for (const mm of [0, 1]) expect(walk(bench, mm, va + 0x3000)).toMatchObject({ fault: 1, level: 3 });
    const before = bench.facts.length;
    bench.do(0, kernel.clearPte(context, va + 0x3000));
    expect(bench.facts.length, 'nothing to clear').toBe(before);
    const inUse = (): number => bench.factsOf('PageAllocated').length - bench.factsOf('PageFreed').length;
    const pages = inUse();
    expect(bench.do(0, kernel.populate(context, va)), 'the table is there').toBe(true);
    expect(inUse()).toBe(pages);
    expect(bench.do(0, kernel.clearPmd(context, va))).toBe(page);
  });

  it('modules: a fault copies one pmd entry to the page that the address space has for itself', () => {
    const { bench, kernel } = lab();
    const modules = 0xbf00_0000;
    const fault = (cpu: number): boolean =>
      bench.do(cpu, bench.slots.pgd.translationFault({ cpu, args: [] }, modules));
    expect(fault(0)).toBe(false);
    bench.do(0, kernel.setSections(context, modules, DEVICE));
    expect(walk(bench, 1, modules)).toMatchObject({ fault: 1, level: 2 });
    expect(fault(0)).toBe(true);
    expect(walk(bench, 1, modules)).toMatchObject({ fault: 0, pfn: DEVICE / 4096 });
    expect(walk(bench, 2, modules)).toMatchObject({ fault: 1, level: 2 });
    const from = bench.facts.length;
    expect(fault(0), 'another was faster').toBe(true);
    expect(bench.factsOf('WordsCopied', from)).toEqual([]);
    expect(fault(1), 'no tables').toBe(false);
  });

  it("with pages of pmds of its own for the kernel's GiB, an address space is brought up to date by copies", () => {
    const { bench, kernel, va } = lab({ pageOffset: '0x40000000' }, 'pgd-arm-lpae-four-pmd');
    bench.do(0, kernel.setSections(context, va, DEVICE));
    expect(walk(bench, 1, va)).toMatchObject({ fault: 1, level: 2 });
    bench.do(0, kernel.copyVmalloc(context, 1));
    expect(walk(bench, 1, va)).toMatchObject({ fault: 0, pfn: DEVICE / 4096 });
    bench.do(0, kernel.clearPmd(context, va));
    expect(walk(bench, 1, va)).toMatchObject({ fault: 0 });
    bench.do(0, kernel.copyVmalloc(context, 1));
    expect(walk(bench, 1, va)).toMatchObject({ fault: 1 });
  });
});
