import { present } from '@tablewalk/base';
import { memoryKey, PageFlag, walkResult, wordAt } from '@tablewalk/contracts';
import type { Fact, KernelFactOf, PteView, VocabularyFactOf, WalkResult } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import type { SmallMachine } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { swapperAddress } from './geometry.ts';
import { linuxRegisters } from './linux-walks.ts';
import { manifest } from './manifest.ts';
import { armLpaeKey } from './tables.ts';

const context = { cpu: 0, args: [] };
const DIRTY: PteView = { pfn: 0x80123, young: true, dirty: true, write: true };
const VA = 0x4030_5000;
const RAM = 0x8000_0000;
const SWAPPER = swapperAddress({ ramBase: RAM });

function lab(knobs: object = {}, machine: SmallMachine = {}): Lab {
  const slots = { 'page-table': { use: manifest.id, ...knobs } };
  return new Lab({ cpus: 2, ram: '4MiB', known: [manifest], slots, ...machine });
}
/** With mm 1. */
function begun(knobs: object = {}): Lab {
  const bench = lab(knobs);
  expect(bench.do(0, bench.slots.pgd.allocate(context, 1))).toBe(true);
  return bench;
}
const typesFrom = (bench: Lab, from: number): string[] =>
  bench.facts.slice(from).map(({ fact }) => fact.type);
const stored = (bench: Lab, from: number): number[][] =>
  bench.factsOf<KernelFactOf<'WordStored'>>('WordStored', from).map(({ fact: { pa, value } }) => [pa, value]);
const allocated = (bench: Lab, from = 0): number[] =>
  bench.factsOf<VocabularyFactOf<'PageAllocated'>>('PageAllocated', from).map(({ fact }) => fact.pfn * 4096);
function walk(bench: Lab, mm: number, va: number): WalkResult {
  const table = bench.slots['page-table'];
  const result = walkResult();
  const walker = table.walker({ read32: (pa) => wordAt(bench.view(memoryKey), pa) });
  walker.walk(table.ttbr(bench.view, mm), va, 0, result);
  return result;
}

describe('page-table-arm-lpae', () => {
  it('two levels of tables are populated, each by one store of 64 bits', () => {
    const bench = begun();
    const table = bench.slots['page-table'];
    const from = bench.facts.length;
    expect(bench.do(0, table.populate(context, 1, VA))).toBe(true);
    const [pmds, ptes] = allocated(bench, from) as [number, number];
    // VA 0x40305000: pgd entry 1, pmd entry 1 of 512.
    const pgd = table.ttbr(bench.view, 1);
    expect(stored(bench, from)).toEqual([
      [pgd + 8, pmds + 3],
      [pgd + 12, 0],
      [pmds + 8, ptes + 3],
      [pmds + 12, 0],
    ]);
    expect(typesFrom(bench, from).filter((type) => type.endsWith('Populated'))).toEqual([
      ...['PudPopulated', 'PmdPopulated'],
    ]);
  });

  it('a pte is one word: hardware sees what software sees, in one step', () => {
    const bench = begun();
    const table = bench.slots['page-table'];
    bench.do(0, table.populate(context, 1, VA));
    const place = (allocated(bench).at(-1) as number) + ((VA / 4096) % 512) * 8;
    let from = bench.facts.length;
    bench.do(0, table.setPte(context, 1, VA, DIRTY));
    expect(typesFrom(bench, from)).toEqual(['WordStored', 'WordStored', 'PteSet']);
    expect(stored(bench, from)).toEqual([
      [place, 0x8012_3f5f],
      [place + 4, 0x00a0_0000],
    ]);
    from = bench.facts.length;
    expect(bench.do(0, table.clearYoung(context, 1, VA))).toBe(true);
    expect(stored(bench, from)[0]).toEqual([place, 0x8012_3b5f]);
    expect(walk(bench, 1, VA)).toMatchObject({ fault: 2, status: 0b001011, level: 3 });
    from = bench.facts.length;
    expect(bench.do(0, table.clearPte(context, 1, VA))).toEqual({ ...DIRTY, young: false });
    expect(typesFrom(bench, from)).toEqual(['WordStored', 'WordStored', 'PteCleared']);
    expect(bench.do(0, table.clearPte(context, 1, VA))).toBeUndefined();
    expect(bench.do(0, table.clearYoung(context, 1, VA))).toBe(false);
  });

  it('addresses have 40 bits: a page above 4 GiB', () => {
    const bench = begun();
    const table = bench.slots['page-table'];
    bench.do(0, table.populate(context, 1, VA));
    const high: PteView = { ...DIRTY, pfn: 0xff_8012_3 };
    bench.do(0, table.setPte(context, 1, VA, high));
    expect(table.lookup(bench.view, 1, VA)).toEqual(high);
    expect(walk(bench, 1, VA)).toMatchObject({ fault: 0, pfn: high.pfn, pageShift: 12, reads: 3 });
  });

  it.each([1, 2, 3, 4])('two CPUs that populate at once keep one page of each level (%i)', (seed) => {
    const bench = begun();
    let draw = seed;
    const from = bench.facts.length;
    const jobs = [0, 1].map((cpu) => ({
      cpu,
      routine: bench.slots['page-table'].populate({ cpu, args: [] }, 1, VA),
    }));
    const pick = (alternatives: number): number => (draw = (draw * 75 + 74) % 65537) % alternatives;
    expect(bench.race(jobs, pick)).toEqual([true, true]);
    const count = (type: string): number => bench.factsOf<Fact>(type, from).length;
    expect([count('PudPopulated'), count('PmdPopulated')]).toEqual([1, 1]);
    expect(count('PageAllocated') - count('PageFreed')).toBe(2);
  });

  it('refuses RAM that blocks cannot map, and maps that no kernel has', () => {
    const { config, refuses } = manifest;
    const machine = { cpus: 1, ramBytes: 2 ** 30, ramBase: 0x8010_0000, seed: 1 };
    expect(refuses?.(config.parse({}), machine)).toMatch(/blocks/);
    expect(refuses?.(config.parse({}), { ...machine, ramBase: RAM })).toBeUndefined();
    const odd = config.parse({ pageOffset: 0xa000_0000 });
    expect(refuses?.(odd, { ...machine, ramBase: RAM })).toMatch(/PAGE_OFFSET/);
  });
});

describe('swapper_pg_dir (spec 5.1, L1)', () => {
  it('is in the image: the allocator never hands out what it lies in', () => {
    const bench = lab({}, { ram: '256KiB' });
    const { frames } = bench.slots;
    const all: number[] = [];
    for (;;) {
      const pfn = bench.do(0, frames.allocate('kernel', 0));
      if (pfn === undefined) break;
      all.push(pfn);
    }
    expect(frames.firstPfn).toBe(RAM / 4096 + 8);
    expect(Math.min(...all)).toBe(RAM / 4096 + 8);
    expect(SWAPPER).toBe(RAM + 0x3000);
  });

  it('has a page of pmds behind every entry, with L_PGD_SWAPPER, and lowmem by blocks of 2 MiB', () => {
    const bench = begun();
    const memory = bench.view(memoryKey);
    expect(bench.slots['page-table'].ttbr(bench.view, 0)).toBe(SWAPPER);
    for (let entry = 0; entry < 4; entry++) {
      expect(wordAt(memory, SWAPPER + entry * 8)).toBe(SWAPPER + 4096 * (entry + 1) + 3);
      expect(wordAt(memory, SWAPPER + entry * 8 + 4)).toBe(0x0080_0000);
    }
    for (const mm of [0, 1]) {
      for (const block of [0, 1]) {
        const found = walk(bench, mm, 0xc000_0000 + block * 2 ** 21 + 0x1234);
        expect(found).toMatchObject({ fault: 0, pfn: RAM / 4096 + block * 512, pageShift: 21 });
        expect(found.flags).toBe(PageFlag.write | PageFlag.execute | PageFlag.global);
      }
      expect(walk(bench, mm, 0xc040_0000).fault).toBe(1);
    }
  });

  it('is made once, whoever comes first', () => {
    const bench = lab();
    const jobs = [0, 1].map((cpu) => ({
      cpu,
      routine: bench.slots.pgd.allocate({ cpu, args: [] }, cpu + 1),
    }));
    let turn = 0;
    expect(bench.race(jobs, (alternatives) => turn++ % alternatives)).toEqual([true, true]);
    const made = bench.factsOf<VocabularyFactOf<'PgdAllocated'>>('PgdAllocated').map(({ fact }) => fact.mm);
    expect(made.sort()).toEqual([0, 1, 2]);
  });
});

describe('registers (spec 5.3)', () => {
  it.each([
    ['1G/3G', 0x4000_0000, RAM, 0, 0],
    ['2G/2G', 0x8000_0000, RAM, 1, SWAPPER + 16],
    ['3G/1G', 0xc000_0000, RAM, 2, SWAPPER + 4 * 4096],
    ['3G/1G and 16 MiB (option C)', 0xc100_0000, RAM, 2, SWAPPER + 4 * 4096],
    ['3G/1G with PHYS_OFFSET above PAGE_OFFSET', 0xc000_0000, 0x1_0000_0000, 0, 0],
  ])('%s', (_name, pageOffset, ramBase, t1sz, ttbr1) => {
    expect(linuxRegisters(pageOffset, { ramBase })).toMatchObject({
      TTBCR: 0x8000_0000n | (BigInt(t1sz) << 16n),
      TTBR1: BigInt(ttbr1),
    });
  });

  it("are those of a Debian kernel 6.1 with LPAE, but for the cacheability of walks and its image's place", () => {
    // golden/linux-arm, lp-busy: TTBCR, MAIR0, MAIR1; TTBR1 is swapper_pg_dir and 0x4000.
    const { TTBCR, MAIR0, MAIR1 } = linuxRegisters(0xc000_0000, { ramBase: 0x4000_0000 });
    expect((TTBCR ?? 0n) & 0x8007_0007n).toBe(0xb502_3500n & 0x8007_0007n);
    expect([MAIR0, MAIR1]).toEqual([4004135936n, 4278190084n]);
  });

  it.each([
    ['0xc0000000', 1, 3],
    ['0x80000000', 2, 3],
    ['0x40000000', 2, 3],
  ])(
    "PAGE_OFFSET %s: a block of the kernel's costs %i reads, a page of a process %i",
    (pageOffset, kernel, user) => {
      const bench = begun({ pageOffset });
      const table = bench.slots['page-table'];
      const va = 0x1000_5000;
      bench.do(0, table.populate(context, 1, va));
      bench.do(0, table.setPte(context, 1, va, DIRTY));
      expect(walk(bench, 1, Number(pageOffset)).reads).toBe(kernel);
      expect(walk(bench, 1, va).reads).toBe(user);
    },
  );
});

describe('first levels are cut from a slab', () => {
  const { allocate, free } = {
    allocate: (bench: Lab, mm: number): boolean =>
      bench.do(0, present(bench.slots['page-table'].pgd, 'pgd').allocate(context, mm, 0, 0)),
    free: (bench: Lab, mm: number): void =>
      bench.do(0, present(bench.slots['page-table'].pgd, 'pgd').free(context, mm)),
  };
  const slabsOf = (bench: Lab): readonly number[] => bench.view(armLpaeKey).slabs;

  it('a page holds 128 of 32 bytes, lowest first; the 129th takes another page', () => {
    const bench = lab();
    for (let mm = 1; mm <= 129; mm++) expect(allocate(bench, mm)).toBe(true);
    expect(allocated(bench).length).toBe(2);
    const ttbr = (mm: number): number => bench.slots['page-table'].ttbr(bench.view, mm);
    expect([ttbr(2) - ttbr(1), ttbr(128) - ttbr(1)]).toEqual([32, 127 * 32]);
    free(bench, 5);
    const freed = ttbr(4) + 32;
    expect(allocate(bench, 200)).toBe(true);
    expect(ttbr(200)).toBe(freed);
  });

  it('a page in which nothing is left goes back; nothing depends on the order', () => {
    const bench = lab();
    for (let mm = 1; mm <= 129; mm++) allocate(bench, mm);
    const [low, high] = slabsOf(bench) as [number, number];
    expect(low).toBeLessThan(high);
    const first = bench.slots['page-table'].ttbr(bench.view, 129);
    free(bench, 129);
    expect(slabsOf(bench)).toEqual([low, high].filter((slab) => slab !== first));
    for (let mm = 1; mm <= 128; mm++) free(bench, mm);
    expect(bench.view(armLpaeKey)).toEqual({ pgd: {}, slabs: [] });
    expect(bench.factsOf('PageFreed').length).toBe(2);
  });

  it('without memory there is none, and nothing is kept', () => {
    const bench = lab();
    while (bench.do(0, bench.slots.frames.allocate('kernel', 0)) !== undefined);
    expect(allocate(bench, 1)).toBe(false);
    expect(bench.view(armLpaeKey)).toEqual({ pgd: {}, slabs: [] });
  });
});

describe('what high bits cost (HB-24)', () => {
  const CLEAN: PteView = { ...DIRTY, dirty: false };
  function set(knobs: object, pte: PteView): Lab {
    const bench = begun(knobs);
    bench.do(0, bench.slots['page-table'].populate(context, 1, VA));
    bench.do(0, bench.slots['page-table'].setPte(context, 1, VA, pte));
    return bench;
  }

  it('HB-24a: a dirty page is taken for clean when it is unmapped; the fact knows better', () => {
    const bench = set({ truncatedPredicates: true }, DIRTY);
    expect(bench.do(0, bench.slots['page-table'].clearPte(context, 1, VA))).toMatchObject({ dirty: false });
    const [cleared] = bench.factsOf<VocabularyFactOf<'PteCleared'>>('PteCleared');
    expect(cleared?.fact.dirty).toBe(true);
  });

  it('HB-24b: a writable page that was stored clean reads as read-only', () => {
    const write = (knobs: object): boolean | undefined => {
      const bench = set(knobs, CLEAN);
      return bench.slots['page-table'].lookup(bench.view, 1, VA)?.write;
    };
    expect(write({})).toBe(true);
    expect(write({ generation: 'v3.3' })).toBe(false);
  });
});
