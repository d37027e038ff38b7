import { present } from '@tablewalk/base';
import { memoryKey, walkResult, wordAt } from '@tablewalk/contracts';
import type { Fact, PgdTables, Routine, Step, VocabularyFactOf, WalkResult } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const GIB = 2 ** 30;
const MODULES = 0xbf00_0000;
const PKMAP = 0xbfe0_0000;
const TASK_SIZE = 0xbf00_0000;
const DEVICE = 0x4800_0000;

interface Bench {
  readonly bench: Lab;
  readonly tables: PgdTables;
}
/** Process 1 on CPU 0. */
function lab(knobs: object = {}, memory: { ram?: string; base?: string } = {}): Bench {
  const slots = { pgd: { use: manifest.id, ...knobs }, 'page-table': 'page-table-arm-lpae' };
  const bench = new Lab({ cpus: 2, ram: memory.ram ?? '4MiB', known: [manifest], slots });
  bench.process(1);
  bench.switchTo(0, 1);
  return { bench, tables: present(bench.slots['page-table'].pgd, 'pgd') };
}
function walk(bench: Lab, mm: number, va: number): WalkResult {
  const table = bench.slots['page-table'];
  const result = walkResult();
  const walker = table.walker({ read32: (pa) => wordAt(bench.view(memoryKey), pa) });
  walker.walk(table.ttbr(bench.view, mm), va, 0, result);
  return result;
}
const word = (bench: Lab, pa: number): number => wordAt(bench.view(memoryKey), pa);
const pgdOf = (bench: Lab, mm: number): number => bench.slots['page-table'].ttbr(bench.view, mm);
/** The page of pmds behind an entry of a pgd, 0: none; and whether the entry has L_PGD_SWAPPER. */
const behind = (bench: Lab, mm: number, entry: number): [table: number, flag: boolean] => {
  const place = pgdOf(bench, mm) + entry * 8;
  return [word(bench, place) & ~0xfff, (word(bench, place + 4) & 0x80_0000) !== 0].map((each) =>
    typeof each === 'number' ? each >>> 0 : each,
  ) as [number, boolean];
};
const fault = (bench: Lab, va: number): boolean => bench.do(0, bench.slots.pgd.translationFault(context, va));
const mapModule = (bench: Lab, va = MODULES): void =>
  bench.do(0, present(bench.slots['page-table'].kernel, 'kernel').setSections(context, va, DEVICE));
/** free_pgtables as the mm's exit has it; the pages are freed. */
const teardown = (bench: Lab, mm: number): void => {
  for (const pfn of bench.do(0, bench.slots.pgd.freePgtables(context, mm)))
    bench.do(0, bench.slots.frames.free(pfn));
};
const swapperTables = (bench: Lab): number[] => [0, 1, 2, 3].map((entry) => behind(bench, 0, entry)[0]);
const freedPages = (bench: Lab): number[] =>
  bench.factsOf<VocabularyFactOf<'PageFreed'>>('PageFreed').map(({ fact }) => fact.pfn * 4096);
function inUse(bench: Lab): Set<number> {
  const pages = new Set<number>();
  for (const { fact } of bench.facts) {
    const { type, pfn } = fact as VocabularyFactOf<'PageAllocated' | 'PageFreed'>;
    if (type === 'PageAllocated') pages.add(pfn);
    else if (type === 'PageFreed') expect(pages.delete(pfn), `page ${pfn} was not in use`).toBe(true);
  }
  return pages;
}

describe('pgd_alloc (spec 5.5)', () => {
  it("has init_mm's entry for the kernel's GiB, flag and all, and a page of its own for modules, without", () => {
    const { bench } = lab();
    expect(behind(bench, 1, 3)).toEqual([behind(bench, 0, 3)[0], true]);
    const [pmds, flag] = behind(bench, 1, 2);
    expect([pmds === 0, flag]).toEqual([false, false]);
    expect(swapperTables(bench)).not.toContain(pmds);
    for (const entry of [0, 1]) expect(behind(bench, 1, entry)).toEqual([0, false]);
  });

  it('takes 32 bytes and a page, and keeps nothing when the page is missing', () => {
    const { bench } = lab();
    expect(inUse(bench).size).toBe(2);
    const taken: number[] = [];
    for (;;) {
      const pfn = bench.do(0, bench.slots.frames.allocate('kernel', 0));
      if (pfn === undefined) break;
      taken.push(pfn);
    }
    const before = inUse(bench);
    expect(bench.do(0, bench.slots.pgd.allocate(context, 2))).toBe(false);
    expect(pgdOf(bench, 2)).toBe(0);
    expect(inUse(bench)).toEqual(before);
  });
});

describe('kernel entries below PAGE_OFFSET (L3)', () => {
  it('arrive by fault, one of 2 MiB at a time; entries of that page are none or those of init_mm', () => {
    const { bench } = lab();
    mapModule(bench);
    mapModule(bench, PKMAP);
    expect(walk(bench, 1, MODULES)).toMatchObject({ fault: 1, level: 2 });
    expect(fault(bench, MODULES + 0x1234)).toBe(true);
    expect(walk(bench, 1, MODULES)).toMatchObject({ fault: 0, pfn: DEVICE / 4096, pageShift: 21 });
    expect(walk(bench, 1, PKMAP)).toMatchObject({ fault: 1 });
    expect(fault(bench, PKMAP)).toBe(true);
    const [own, init] = [behind(bench, 1, 2)[0], behind(bench, 0, 2)[0]];
    for (let entry = 504; entry < 512; entry++)
      expect([0, word(bench, init + entry * 8)]).toContain(word(bench, own + entry * 8));
    expect(fault(bench, MODULES + 0x40_0000), 'init_mm has nothing').toBe(false);
  });
});

/** HB-21, spec 5.6: the task exits, and an interrupt is served by a module while the pgd is in TTBR0. */
describe('a dying pgd', () => {
  function dying(knobs: object): { bench: Lab; freed: number[]; reached: boolean } {
    const { bench, tables } = lab(knobs);
    mapModule(bench);
    fault(bench, MODULES);
    teardown(bench, 1);
    const reached = walk(bench, 1, MODULES).fault === 0;
    if (!reached) expect(fault(bench, MODULES)).toBe(true);
    expect(walk(bench, 1, MODULES), 'the interrupt is served').toMatchObject({ pfn: DEVICE / 4096 });
    bench.switchTo(0, 0);
    const from = freedPages(bench).length;
    bench.do(0, bench.slots.pgd.free(context, 1));
    expect(tables.pgdTables(bench.view, 1, 0, 4 * GIB)).toEqual([]);
    return { bench, freed: freedPages(bench).slice(from), reached };
  }

  it("init_mm's pages of pmds are told when it boots, so that a checker knows whose they are", () => {
    const { bench } = lab();
    const told = bench.factsOf<VocabularyFactOf<'PudPopulated'>>('PudPopulated').map(({ fact }) => fact);
    const ofInit = told.filter(({ mm: whose }) => whose === 0);
    expect(ofInit.map(({ va }) => va)).toEqual([0, GIB, 2 * GIB, 3 * GIB]);
    expect(ofInit.map(({ table }) => table)).toEqual(swapperTables(bench));
  });

  it('a fault has looked up where it stores before it stores: the page may be gone by then', () => {
    const { bench } = lab({ ceiling: false });
    mapModule(bench);
    const pmds = behind(bench, 1, 2)[0];
    const late = bench.slots.pgd.translationFault(context, MODULES);
    // The look at TTBR0 and at both tables, and pmd_offset; answered as the machine would.
    let step = late.next();
    for (let looks = 0; looks < 2; looks++)
      step = late.next((step.value as Extract<Step, { kind: 'read' }>).look(bench.view));
    teardown(bench, 1);
    const stores = (function* () {
      yield step.value as Step;
    })();
    bench.do(0, stores as Routine);
    expect(word(bench, pmds + 504 * 8), 'in a page that is free').not.toBe(0);
  });

  it("no flag and no ceiling: pgd_free frees init_mm's page of pmds (L1 broken)", () => {
    const { bench, freed } = dying({ swapperFlag: false, ceiling: false });
    expect(freed).toContain(behind(bench, 0, 2)[0]);
  });

  it('the flag and no ceiling: pgd_free spares it, but the page was free while a walker could be in it', () => {
    const { bench, freed, reached } = dying({ ceiling: false });
    for (const table of swapperTables(bench)) expect(freed).not.toContain(table);
    expect(reached, 'the page of pmds went with free_pgtables (L2 broken)').toBe(false);
    inUse(bench);
  });

  it('the flag and the ceiling: the page for modules lives until pgd_free (L2), and nothing is lost (L4)', () => {
    const { bench, freed, reached } = dying({});
    expect(reached).toBe(true);
    for (const table of swapperTables(bench)) expect(freed).not.toContain(table);
    expect(inUse(bench).size).toBe(0);
  });

  it('the flag is not needed where the ceiling is', () => {
    const { bench, freed } = dying({ swapperFlag: false });
    for (const table of swapperTables(bench)) expect(freed).not.toContain(table);
    expect(inUse(bench).size).toBe(0);
  });
});

/** HB-23: an identity mapping of addresses that lie in the kernel's GiB. */
describe('init_idmap', () => {
  /** An address space for the identity map, whose range is 4 MiB at `start`. */
  function mapped(idmap: 'copy' | 'empty' | 'through', start: number): { bench: Lab; before: number[] } {
    const { bench } = lab({ idmap });
    bench.do(0, bench.slots.pgd.allocate(context, 2));
    const before = swapperWords(bench);
    const routine = bench.slots.pgd.identityMap?.(context, 2, start, start + 0x40_0000);
    expect(bench.do(0, present(routine, 'identity map'))).toBe(true);
    return { bench, before };
  }
  const swapperWords = (bench: Lab): number[] =>
    [pgdOf(bench, 0), ...swapperTables(bench)].flatMap((table) =>
      Array.from({ length: 1024 }, (_, i) => word(bench, table + i * 4)),
    );
  /** What a walk by TTBR0 alone finds: a CPU that boots has no TTBR1 yet. */
  const pmd = (bench: Lab, mm: number, va: number): number =>
    word(bench, behind(bench, mm, Math.floor(va / GIB))[0] + (Math.floor(va / 2 ** 21) % 512) * 8);

  it.each(['copy', 'empty'] as const)('%s: nothing of init_mm is written (L5)', (idmap) => {
    for (const start of [0x8000_0000, 0xd000_0000]) {
      const { bench, before } = mapped(idmap, start);
      expect(swapperWords(bench)).toEqual(before);
      for (const va of [start, start + 0x20_0000]) expect(pmd(bench, 2, va) & ~0xfff).toBe(va | 0);
      expect(behind(bench, 2, Math.floor(start / GIB))[1]).toBe(false);
    }
  });

  it("through: init_mm's own page is written (L5 broken), and pgd_free spares it", () => {
    const { bench, before } = mapped('through', 0xd000_0000);
    expect(swapperWords(bench)).not.toEqual(before);
    expect(pmd(bench, 0, 0xd000_0000) & ~0xfff).toBe(0xd000_0000 | 0);
    bench.do(0, bench.slots.pgd.free(context, 2));
    for (const table of swapperTables(bench)) expect(freedPages(bench)).not.toContain(table);
  });

  it("copy: lowmem stays mapped beside it; empty: the kernel's text is gone", () => {
    const lowmem = (idmap: 'copy' | 'empty'): number => pmd(mapped(idmap, 0xd000_0000).bench, 2, 0xc000_0000);
    const { bench } = lab();
    expect(lowmem('copy')).toBe(pmd(bench, 0, 0xc000_0000));
    expect(lowmem('empty')).toBe(0);
  });

  it.each(['copy', 'empty'] as const)(
    '%s: pgd_free gives its pages back, and spares those of init_mm',
    (idmap) => {
      const { bench } = mapped(idmap, 0xd000_0000);
      bench.do(0, bench.slots.pgd.free(context, 2));
      const freed = freedPages(bench);
      for (const table of swapperTables(bench)) expect(freed).not.toContain(table);
      expect(inUse(bench).size, "mm 1's page and the slab").toBe(2);
    },
  );
});

type Operation =
  | { readonly kind: 'create' | 'exit' | 'switch'; readonly mm: number }
  | { readonly kind: 'populate'; readonly mm: number; readonly place: number }
  | { readonly kind: 'module' | 'fault'; readonly place: number };
const mm = fc.integer({ min: 1, max: 3 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constantFrom('create', 'exit', 'switch'), mm }),
  fc.record({ kind: fc.constant('populate' as const), mm, place: fc.nat(5) }),
  fc.record({ kind: fc.constantFrom('module', 'fault'), place: fc.nat(3) }),
) as fc.Arbitrary<Operation>;
const USER = [0x1000, 0x20_0000, 0x3fff_f000, 0x4000_0000, 0x8000_0000, TASK_SIZE - 4096];
const KERNEL = [MODULES, MODULES + 0x20_0000, PKMAP, 0xc080_0000];

describe('no sequence of operations leaks or double-frees a page of tables (L1, L2, L4)', () => {
  it.each([{}, { ceiling: false }])('%j', (knobs) => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
        const slots = { pgd: { use: manifest.id, ...knobs }, 'page-table': 'page-table-arm-lpae' };
        const bench = new Lab({ cpus: 1, ram: '4MiB', known: [manifest], slots });
        const { pgd, 'page-table': table } = bench.slots;
        for (const each of [1, 2, 3])
          bench.note({ type: 'ProcessCreated', mm: each, name: `process ${each}` } as Fact);
        const alive = new Set<number>();
        const exit = (each: number): void => {
          if (!alive.delete(each)) return;
          teardown(bench, each);
          // The window of 5.6: the CPU may still have the tables, and be interrupted.
          for (const va of KERNEL) if (bench.mmOn(0) === each) fault(bench, va);
          if (bench.mmOn(0) === each) bench.switchTo(0, 0);
          bench.do(0, pgd.free(context, each));
        };
        const run = (each: Operation): void => {
          if (each.kind === 'create' && !alive.has(each.mm)) {
            expect(bench.do(0, pgd.allocate(context, each.mm))).toBe(true);
            alive.add(each.mm);
          } else if (each.kind === 'exit') exit(each.mm);
          else if (each.kind === 'switch' && alive.has(each.mm)) bench.switchTo(0, each.mm);
          else if (each.kind === 'populate' && alive.has(each.mm))
            bench.do(0, table.populate(context, each.mm, USER[each.place] as number));
          else if (each.kind === 'module' && alive.size > 0) mapModule(bench, KERNEL[each.place]);
          else if (each.kind === 'fault') fault(bench, KERNEL[each.place] as number);
        };
        for (const each of operations) {
          run(each);
          inUse(bench);
          if (alive.size > 0)
            for (const freed of freedPages(bench)) expect(swapperTables(bench)).not.toContain(freed);
          for (const one of alive) {
            expect(behind(bench, one, 3)).toEqual([behind(bench, 0, 3)[0], true]);
            expect(behind(bench, one, 2)[1]).toBe(false);
          }
        }
        for (const each of [1, 2, 3]) exit(each);
        expect([...inUse(bench)]).toEqual([]);
      }),
      { seed: 1, numRuns: 60 },
    );
  });
});
