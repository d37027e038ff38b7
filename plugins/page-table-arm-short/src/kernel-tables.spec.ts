import { present } from '@tablewalk/base';
import { memoryKey, PageFlag, walkResult, wordAt } from '@tablewalk/contracts';
import type { KernelFactOf, KernelTables, VocabularyFactOf, WalkResult } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const DEVICE = 0x4800_0000;

/** 2 MiB of RAM, so that vmalloc space begins at 0xc0800000; mm 1 on CPU 0. */
function lab(knobs: object = {}): { bench: Lab; kernel: KernelTables; va: number } {
  const slots = { 'page-table': { use: manifest.id, ...knobs } };
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
    ['15MiB', '0xc0000000', 0xc100_0000],
    ['1GiB', '0xc0000000', 0xf080_0000],
    ['1GiB', '0x80000000', 0xc080_0000],
  ])(
    '%s of RAM from %s: VMALLOC_START is high_memory and 8 MiB, at 8 MiB (spec 2)',
    (ram, pageOffset, start) => {
      const slots = { 'page-table': { use: manifest.id, pageOffset } };
      const { kernel } = new Lab({ cpus: 1, ram, known: [manifest], slots }).slots['page-table'];
      expect([kernel?.vmallocStart, kernel?.vmallocEnd]).toEqual([start, 0xff80_0000]);
    },
  );

  it('sections are two words of init_mm, stored one by one; other address spaces know nothing of them', () => {
    const { bench, kernel, va } = lab();
    expect(kernel.entry(bench.view, va)).toBe('none');
    const from = bench.facts.length;
    bench.do(0, kernel.setSections(context, va, DEVICE));
    const pair = bench.slots['page-table'].ttbr(bench.view, 0) + (va / 2 ** 20) * 4;
    // S bit 16, AP 01 in [11:10], XN bit 4, B, type 10.
    expect(stored(bench, from)).toEqual([
      [pair, 0x4801_0416],
      [pair + 4, 0x4811_0416],
    ]);
    expect(kernel.entry(bench.view, va + 0x1f_ffff)).toBe('sections');
    const { fault, pfn, pageShift, flags } = walk(bench, 0, va + 0x10_0000);
    expect([fault, pfn, pageShift, flags]).toEqual([0, 0x48100, 20, PageFlag.write | PageFlag.global]);
    expect(walk(bench, 1, va)).toMatchObject({ fault: 1, level: 1 });
  });

  it('a fault copies the pair of init_mm to the tables in TTBR0, once; where init_mm has nothing, none', () => {
    const { bench, kernel, va } = lab();
    expect(bench.do(0, bench.slots.pgd.translationFault(context, va))).toBe(false);
    bench.do(0, kernel.setSections(context, va, DEVICE));
    expect(bench.do(0, bench.slots.pgd.translationFault(context, va + 0x10_0123))).toBe(true);
    for (const half of [0, 0x10_0000])
      expect(walk(bench, 1, va + half)).toMatchObject({ fault: 0, pfn: (DEVICE + half) / 4096 });
    const from = bench.facts.length;
    expect(bench.do(0, bench.slots.pgd.translationFault(context, va)), 'another was faster').toBe(true);
    expect(bench.factsOf('WordsCopied', from)).toEqual([]);
    expect(walk(bench, 2, va)).toMatchObject({ fault: 1 });
    expect(
      bench.do(1, bench.slots.pgd.translationFault({ cpu: 1, args: [] }, va)),
      'no tables in TTBR0',
    ).toBe(false);
  });

  it('what is cleared in init_mm stays in a copy until all of vmalloc space is copied again', () => {
    const { bench, kernel, va } = lab();
    bench.do(0, kernel.setSections(context, va, DEVICE));
    bench.do(0, bench.slots.pgd.translationFault(context, va));
    expect(bench.do(0, kernel.clearPmd(context, va))).toBeUndefined();
    expect(kernel.entry(bench.view, va)).toBe('none');
    expect(walk(bench, 1, va)).toMatchObject({ fault: 0 });
    const from = bench.facts.length;
    bench.do(0, kernel.copyVmalloc(context, 1));
    expect(walk(bench, 1, va)).toMatchObject({ fault: 1, level: 1 });
    const [run] = bench.factsOf<KernelFactOf<'WordsCopied'>>('WordsCopied', from);
    expect(run?.fact.words, 'words that differed').toBe(2);
    for (let each = va; each < kernel.vmallocEnd; each += 2 ** 20)
      expect(walk(bench, 1, each).fault).toBe(walk(bench, 0, each).fault);
  });

  it('a table is one for all: a page that is set in it is there in every address space that has the table', () => {
    const { bench, kernel, va } = lab();
    expect(bench.do(0, kernel.populate(context, va))).toBe(true);
    expect(kernel.entry(bench.view, va)).toBe('table');
    expect(bench.do(0, bench.slots.pgd.translationFault(context, va))).toBe(true);
    const page = va + 0x10_3000;
    const from = bench.facts.length;
    bench.do(0, kernel.setPte(context, page, 0x48123));
    // The Linux word: PRESENT, YOUNG, DEV_SHARED, DIRTY, XN, SHARED; then the hardware's: S, AP 01, B, XN; nG clear.
    expect(stored(bench, from).map(([, value]) => value)).toEqual([0x4812_3653, 0x4812_3417]);
    for (const mm of [0, 1]) expect(walk(bench, mm, page)).toMatchObject({ pfn: 0x48123, pageShift: 12 });
    bench.do(0, kernel.clearPte(context, page));
    for (const mm of [0, 1]) expect(walk(bench, mm, page)).toMatchObject({ fault: 1, level: 2 });
    const before = bench.factsOf('PageAllocated').length - bench.factsOf('PageFreed').length;
    expect(bench.do(0, kernel.populate(context, page)), 'the table is there').toBe(true);
    expect(bench.factsOf('PageAllocated').length - bench.factsOf('PageFreed').length).toBe(before);
  });

  it('before 2.6.38 device memory is set in the other half, writable and without L_PTE_EXEC', () => {
    const { bench, kernel, va } = lab({ pteLayout: 'hw-first' });
    bench.do(0, kernel.populate(context, va));
    const from = bench.facts.length;
    bench.do(0, kernel.setPte(context, va, 0x48123));
    const [linux, hardware] = stored(bench, from);
    expect([linux?.[1], hardware?.[1]]).toEqual([0x4812_34d3, 0x4812_3417]);
    expect(hardware?.[0]).toBe((linux?.[0] ?? 0) - 2048);
    expect(walk(bench, 0, va)).toMatchObject({ pfn: 0x48123, pageShift: 12 });
    bench.do(0, kernel.clearPte(context, va));
    expect(walk(bench, 0, va)).toMatchObject({ fault: 1, level: 2 });
  });

  it('a table that is cleared is given back to who cleared it', () => {
    const { bench, kernel, va } = lab();
    bench.do(0, kernel.populate(context, va));
    const page = bench.factsOf<VocabularyFactOf<'PageAllocated'>>('PageAllocated').at(-1);
    const from = bench.facts.length;
    expect(bench.do(0, kernel.clearPmd(context, va))).toBe(page?.fact.pfn);
    const types = bench.facts.slice(from).map(({ fact }) => fact.type);
    expect(types).toEqual(['WordStored', 'WordStored', 'PmdCleared']);
  });
});
