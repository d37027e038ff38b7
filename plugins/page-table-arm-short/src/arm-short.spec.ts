import { memoryKey, PageFlag, walkResult, wordAt } from '@tablewalk/contracts';
import type { Fact, KernelFactOf, PteView, VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const DIRTY: PteView = { pfn: 0x80123, young: true, dirty: true, write: true };
const VA = 0x0030_5000;

function lab(knobs: object = {}): Lab {
  const slots = { 'page-table': { use: manifest.id, ...knobs } };
  const bench = new Lab({ cpus: 2, ram: '2MiB', known: [manifest], slots });
  bench.do(0, bench.slots.pgd.allocate(context, 1));
  return bench;
}
const stored = (bench: Lab, from: number): { pa: number; value: number }[] =>
  bench
    .factsOf<KernelFactOf<'WordStored'>>('WordStored', from)
    .map(({ fact: { pa, value } }) => ({ pa, value }));

describe('page-table-arm-short', () => {
  it('a page of tables: two for Linux, then the two that the hardware walks, 2048 bytes on', () => {
    const bench = lab();
    const table = bench.slots['page-table'];
    const from = bench.facts.length;
    bench.do(0, table.populate(context, 1, VA));
    const pair = table.ttbr(bench.view, 1) + 2 * Math.floor(VA / 2 ** 21) * 4;
    const [page] = bench.factsOf<VocabularyFactOf<'PageAllocated'>>('PageAllocated', from);
    const base = (page?.fact.pfn ?? 0) * 4096;
    expect(stored(bench, from)).toEqual([
      { pa: pair, value: base + 2048 + 0x21 },
      { pa: pair + 4, value: base + 3072 + 0x21 },
    ]);
  });

  it('set_pte_ext is two steps, the Linux word first: between them Linux says present and the hardware faults', () => {
    const bench = lab();
    const table = bench.slots['page-table'];
    bench.do(0, table.populate(context, 1, VA));
    const from = bench.facts.length;
    bench.do(0, table.setPte(context, 1, VA, DIRTY));
    const [linux, hardware] = stored(bench, from);
    expect(linux?.value).toBe(0x8012_355f);
    expect(hardware).toEqual({ pa: (linux?.pa ?? 0) + 2048, value: 0x8012_3c7e });
    // VA 0x305000: pair of 2 MiB number 1, entry 261 of 512.
    expect((linux?.pa ?? 0) % 4096).toBe(((VA / 4096) % 512) * 4);
  });

  it('before 2.6.38 the hardware tables come first, and the Linux word has L_PTE_WRITE and L_PTE_EXEC', () => {
    const bench = lab({ pteLayout: 'hw-first' });
    const table = bench.slots['page-table'];
    const from = bench.facts.length;
    bench.do(0, table.populate(context, 1, VA));
    bench.do(0, table.setPte(context, 1, VA, DIRTY));
    const [page] = bench.factsOf<VocabularyFactOf<'PageAllocated'>>('PageAllocated', from);
    const base = (page?.fact.pfn ?? 0) * 4096;
    const pte = base + ((VA / 4096) % 512) * 4;
    expect(stored(bench, from).slice(-4)).toMatchObject([
      { value: base + 0x21 },
      { value: base + 1024 + 0x21 },
      { pa: pte + 2048, value: 0x8012_37df },
      { pa: pte, value: 0x8012_3c7e },
    ]);
    expect(table.lookup(bench.view, 1, VA)).toEqual(DIRTY);
    expect(bench.do(0, table.clearYoung(context, 1, VA))).toBe(true);
    expect(table.lookup(bench.view, 1, VA)).toEqual({ ...DIRTY, young: false });
    expect(table.mappedPages(bench.view, 1)).toEqual([VA]);
    expect(bench.do(0, table.clearPte(context, 1, VA))).toEqual({ ...DIRTY, young: false });
    expect(table.mappedPages(bench.view, 1)).toEqual([]);
  });

  it('clearing takes the Linux word first, too: the old right lives until the hardware word goes', () => {
    const bench = lab();
    const table = bench.slots['page-table'];
    bench.do(0, table.populate(context, 1, VA));
    bench.do(0, table.setPte(context, 1, VA, DIRTY));
    const from = bench.facts.length;
    expect(bench.do(0, table.clearPte(context, 1, VA))).toEqual(DIRTY);
    const types = bench.facts.slice(from).map(({ fact }) => fact.type);
    expect(types).toEqual(['WordStored', 'WordStored', 'PteCleared']);
    expect(stored(bench, from).map(({ value }) => value)).toEqual([0, 0]);
    expect(bench.do(0, table.clearPte(context, 1, VA))).toBeUndefined();
  });

  it('gives every address space the direct mapping of RAM, in sections, out of reach of PL0', () => {
    const bench = new Lab({ cpus: 1, ram: '3MiB', use: [manifest] });
    const table = bench.slots['page-table'];
    bench.do(0, bench.slots.pgd.allocate(context, 1));
    const walker = table.walker({ read32: (pa) => wordAt(bench.view(memoryKey), pa) });
    const found = walkResult();
    for (const mm of [0, 1])
      for (let section = 0; section < 4; section++) {
        walker.walk(table.ttbr(bench.view, mm), 0xc000_0000 + section * 2 ** 20, 0, found);
        const { fault, pfn, pageShift, flags } = found;
        if (section === 3) expect(fault).not.toBe(0);
        else
          expect([fault, pfn, pageShift, flags & PageFlag.user]).toEqual([0, 0x80000 + section * 256, 20, 0]);
      }
  });

  it('TASK_SIZE is 16 MiB below PAGE_OFFSET (spec/page-tables.md, 2)', () => {
    const taskSize = (pageOffset: string): number =>
      new Lab({ known: [manifest], slots: { 'page-table': { use: manifest.id, pageOffset } } }).slots[
        'page-table'
      ].taskSize;
    expect(['0xc0000000', '0x80000000', '0x40000000'].map(taskSize)).toEqual([
      0xbf00_0000, 0x7f00_0000, 0x3f00_0000,
    ]);
  });

  it('refuses a memory map in which regions overlap, with the reason', () => {
    const refused = (knobs: object): string | undefined =>
      manifest.refuses?.(manifest.config.parse(knobs), {
        cpus: 2,
        ramBase: 0x8000_0000,
        ramBytes: 2 ** 30,
        seed: 1,
      });
    expect(refused({})).toBeUndefined();
    expect(refused({ vmallocEnd: '0xffc00000' })).toContain('overlap');
    expect(refused({ pageOffset: '0x90000000' })).toContain('PAGE_OFFSET');
  });

  it.each([1, 2, 3, 4])('two CPUs that populate one table at once keep one page of tables (%i)', (seed) => {
    const bench = lab();
    const table = bench.slots['page-table'];
    let draw = seed;
    const from = bench.facts.length;
    const jobs = [0, 1].map((cpu) => ({ cpu, routine: table.populate({ cpu, args: [] }, 1, VA) }));
    expect(bench.race(jobs, (alternatives) => (draw = (draw * 75 + 74) % 65537) % alternatives)).toEqual([
      true,
      true,
    ]);
    const count = (type: string): number => bench.factsOf<Fact>(type, from).length;
    expect(count('PmdPopulated')).toBe(1);
    expect(count('PageAllocated') - count('PageFreed')).toBe(1);
  });

  it('two CPUs that create the first address spaces at once make one init_mm', () => {
    const bench = new Lab({ cpus: 2, ram: '2MiB', use: [manifest] });
    const { pgd } = bench.slots;
    const jobs = [0, 1].map((cpu) => ({ cpu, routine: pgd.allocate({ cpu, args: [] }, cpu + 1) }));
    let turn = 0;
    expect(bench.race(jobs, (alternatives) => turn++ % alternatives)).toEqual([true, true]);
    const made = bench.factsOf<VocabularyFactOf<'PgdAllocated'>>('PgdAllocated').map(({ fact }) => fact.mm);
    expect(made.sort()).toEqual([0, 1, 2]);
  });

  it('refuses RAM that a small page cannot address, or that sections cannot map', () => {
    const { config, refuses } = manifest;
    const machine = { cpus: 1, ramBytes: 2 ** 30, ramBase: 0xe000_0000, seed: 1 };
    expect(refuses?.(config.parse({}), machine)).toMatch(/4 GiB/);
    expect(refuses?.(config.parse({}), { ...machine, ramBase: 0x8008_0000 })).toMatch(/sections/);
    expect(refuses?.(config.parse({}), { ...machine, ramBase: 0x8000_0000 })).toBeUndefined();
  });
});
