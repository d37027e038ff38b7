import { present } from '@tablewalk/base';
import { cpusKey, lock, memoryKey, pageTableLock, PageFlag, walkResult, wordAt } from '@tablewalk/contracts';
import type { Fact, KernelFactOf, PgdTables, VocabularyFactOf, WalkResult } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 0, args: [] };
const INIT_MM = 0;
const DEVICE = 0x4800_0000;
const MIB = 2 ** 20;

/** Process 1 on CPU 0; `va` is the first address of vmalloc space. */
function lab(knobs: object = {}, format: object = {}): { bench: Lab; tables: PgdTables; va: number } {
  const slots = {
    pgd: { use: manifest.id, ...knobs },
    'page-table': { use: 'page-table-arm-short', ...format },
  };
  const bench = new Lab({ cpus: 2, ram: '2MiB', known: [manifest], slots });
  bench.process(1);
  bench.switchTo(0, 1);
  const { pgd, kernel } = bench.slots['page-table'];
  return { bench, tables: present(pgd, 'pgd'), va: present(kernel, 'kernel').vmallocStart };
}
function walk(bench: Lab, va: number): WalkResult {
  const result = walkResult();
  const walker = bench.slots['page-table'].walker({ read32: (pa) => wordAt(bench.view(memoryKey), pa) });
  walker.walk(bench.view(cpusKey)[0]?.ttbr ?? 0, va, 0, result);
  return result;
}
const fault = (bench: Lab, va: number): boolean => bench.do(0, bench.slots.pgd.translationFault(context, va));
const typesFrom = (bench: Lab, from: number): string[] =>
  bench.facts.slice(from).map(({ fact }) => fact.type);

describe('pgd-arm-classic', () => {
  it('copies 1040 words of init_mm when an address space is made, and none for user space (spec 2)', () => {
    const { bench } = lab();
    const [copy] = bench.factsOf<KernelFactOf<'WordsCopied'>>('WordsCopied');
    const ttbr = (mm: number): number => bench.slots['page-table'].ttbr(bench.view, mm);
    expect(copy?.fact).toEqual({
      type: 'WordsCopied',
      from: ttbr(INIT_MM) + 0xbf0 * 4,
      to: ttbr(1) + 0xbf0 * 4,
      words: 1040,
    });
  });

  it('a fault copies both halves of a pair, though init_mm may have one of them alone', () => {
    const { bench, tables, va } = lab();
    bench.do(0, tables.setSection(context, INIT_MM, va + MIB, DEVICE));
    expect(fault(bench, va + MIB + 0x123)).toBe(true);
    expect(walk(bench, va + MIB)).toMatchObject({ fault: 0, pfn: DEVICE / 4096 });
    expect(fault(bench, va), 'the other half').toBe(false);
  });

  describe('PT-1, HB-17: the first half of a pair says what init_mm has', () => {
    it('a valid mapping in the second half is a bad area', () => {
      const { bench, tables, va } = lab({ checkHalf: 'first' });
      bench.do(0, tables.setSection(context, INIT_MM, va + MIB, DEVICE));
      expect(fault(bench, va + MIB)).toBe(false);
    });

    it('an access to the second half, with nothing there, faults for ever', () => {
      for (const [checkHalf, expected] of [
        ['first', true],
        ['needed', false],
      ] as const) {
        const { bench, tables, va } = lab({ checkHalf });
        bench.do(0, tables.setSection(context, INIT_MM, va, DEVICE));
        for (let i = 0; i < 3; i++) {
          expect(fault(bench, va + MIB)).toBe(expected);
          expect(walk(bench, va + MIB)).toMatchObject({ fault: 1, level: 1 });
        }
      }
    });
  });

  it('free_pgtables leaves the table of address 0, for FIRST_USER_ADDRESS is not 0; pgd_free takes it', () => {
    const { bench } = lab();
    const { pgd, 'page-table': table } = bench.slots;
    for (const va of [0x8000, 0x20_0000]) bench.do(0, table.populate(context, 1, va));
    const [first, second] = bench
      .factsOf<VocabularyFactOf<'PmdPopulated'>>('PmdPopulated')
      .map(({ fact }) => fact.table / 4096);
    bench.switchTo(0, 0);
    expect(bench.do(0, pgd.freePgtables(context, 1))).toEqual([second]);
    const from = bench.facts.length;
    bench.do(0, pgd.free(context, 1));
    expect(typesFrom(bench, from)).toEqual([
      ...['WordStored', 'WordStored', 'PmdCleared', 'PageFreed'],
      ...['PgdFreed', 'PageFreed'],
    ]);
    expect(bench.factsOf<VocabularyFactOf<'PageFreed'>>('PageFreed', from)[0]?.fact.pfn).toBe(first);
  });

  it('PT-2: where that is done for low vectors alone, the table is lost', () => {
    for (const [vectors, cleared] of [
      ['high', 0],
      ['low', 1],
    ] as const) {
      const { bench } = lab({ freeEntryZero: 'if-low-vectors' }, { vectors });
      bench.do(0, bench.slots['page-table'].populate(context, 1, 0x8000));
      bench.switchTo(0, 0);
      bench.do(0, bench.slots.pgd.freePgtables(context, 1));
      bench.do(0, bench.slots.pgd.free(context, 1));
      expect(bench.factsOf('PmdCleared').length).toBe(cleared);
    }
  });

  it('low vectors are in every address space at once, for the kernel alone, and survive an exit', () => {
    const { bench } = lab({}, { vectors: 'low' });
    const found = walk(bench, 0);
    expect([found.fault, found.flags]).toEqual([0, PageFlag.global | PageFlag.execute]);
    expect(bench.slots['page-table'].mappedPages(bench.view, 1)).toEqual([]);
    bench.access(0, 0x8000, true);
    bench.fault(0, 0, false, 3, 2);
    expect(bench.factsOf<VocabularyFactOf<'ProcessKilled'>>('ProcessKilled')[0]?.fact.reason).toMatch(
      /FIRST_USER_ADDRESS/,
    );
    const freed = bench.factsOf<VocabularyFactOf<'PageFreed'>>('PageFreed').map(({ fact }) => fact.pfn);
    expect(freed).not.toContain(found.pfn);
    expect(freed.length, 'page, table of it and of the vectors, first level').toBe(3);
    bench.process(2);
    bench.switchTo(0, 2);
    expect(walk(bench, 0).pfn).toBe(found.pfn);
  });

  it("PT-6: a fault that takes init_mm's lock waits for ever where the CPU holds it", () => {
    const { bench, tables, va } = lab({ faultLock: true });
    bench.do(0, tables.setSection(context, INIT_MM, va, DEVICE));
    bench.do(0, lock(0, pageTableLock(INIT_MM)));
    expect(() => fault(bench, va)).toThrow(/no CPU can take a step: spin on page_table_lock:0/);
    const other = lab();
    other.bench.do(0, other.tables.setSection(context, INIT_MM, other.va, DEVICE));
    other.bench.do(0, lock(0, pageTableLock(INIT_MM)));
    expect(fault(other.bench, other.va)).toBe(true);
  });

  it('two CPUs that fault with one mm at once both try again: words that are there are copied once more', () => {
    // One after the other, and in turns.
    for (const turns of [[0], [0, 1]]) {
      const { bench, tables, va } = lab();
      bench.switchTo(1, 1);
      bench.do(0, tables.setSection(context, INIT_MM, va, DEVICE));
      const jobs = [0, 1].map((cpu) => ({
        cpu,
        routine: bench.slots.pgd.translationFault({ cpu, args: [] }, va),
      }));
      let taken = 0;
      const pick = (alternatives: number): number => (turns[taken++ % turns.length] as number) % alternatives;
      expect(bench.race(jobs, pick)).toEqual([true, true]);
      expect(walk(bench, va)).toMatchObject({ fault: 0, pfn: DEVICE / 4096 });
    }
  });

  it('the tables are those in TTBR0, whoever they belong to', () => {
    const { bench, tables, va } = lab();
    bench.process(2);
    bench.do(0, tables.setSection(context, INIT_MM, va, DEVICE));
    const word = (mm: number): number => wordAt(bench.view(memoryKey), ttbrOf(bench, mm) + (va / MIB) * 4);
    bench.note({ type: 'ContextSwitched', cpu: 0, mm: 1, asid: 1, ttbr: ttbrOf(bench, 2) } as Fact, 0);
    expect(fault(bench, va)).toBe(true);
    expect([word(1), word(2)]).toEqual([0, word(INIT_MM)]);
  });

  it('is refused beside tables of another number of levels', () => {
    const slots = { pgd: manifest.id, 'page-table': 'page-table-identity' };
    expect(() => new Lab({ known: [manifest], slots })).toThrow(/pgd-folded/);
  });
});

const ttbrOf = (bench: Lab, mm: number): number => bench.slots['page-table'].ttbr(bench.view, mm);
