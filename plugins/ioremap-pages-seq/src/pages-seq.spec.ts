import { present } from '@tablewalk/base';
import { Lab } from '@tablewalk/testkit';
import { vmallocKey } from '@tablewalk/vmalloc';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const PA = 0x4800_0000;
const PAIR = 2 ** 21;
const on = (cpu: number) => ({ cpu, args: [] });

/** spec/ioremap.md, 4. */
describe('ioremap-pages-seq', () => {
  function lab(knobs: object = {}): Lab {
    const slots = { ioremap: { use: manifest.id, ...knobs } };
    const machine = { cpus: 2, ram: '2MiB', known: [manifest], slots };
    const bench = new Lab(machine, { speculativeWalks: [], evictions: [] });
    for (const cpu of [0, 1]) {
      bench.process(cpu + 1);
      bench.switchTo(cpu, cpu + 1);
    }
    return bench;
  }
  const map = (bench: Lab, pa = PA, bytes = 4096): number | undefined =>
    bench.do(0, bench.slots.ioremap.ioremap(on(0), pa, bytes));
  const check = (bench: Lab, mm: number): void => bench.do(1, bench.slots.ioremap.checkVmallocSeq(on(1), mm));
  const reaches = (bench: Lab, cpu: number, va = 0): boolean =>
    bench.do(cpu, bench.model.access(on(cpu), va, false)).kind === 'done';
  const typesFrom = (bench: Lab, from: number): string[] =>
    bench.facts.slice(from).map(({ fact }) => fact.type);
  const seqs = (bench: Lab): object => bench.view(vmallocKey).seq;
  /** Leaves so many pages to allocate. */
  function exhaust(bench: Lab, left: number): void {
    const { frames } = bench.slots;
    const taken: number[] = [];
    for (let page: number | undefined; (page = bench.do(0, frames.allocate('kernel', 0))) !== undefined;)
      taken.push(page);
    for (const page of taken.slice(0, left)) bench.do(0, frames.free(page));
  }

  it('a new word is counted, behind the pages and before the range is used; one that is there is not', () => {
    const bench = lab();
    const from = bench.facts.length;
    map(bench);
    const types = typesFrom(bench, from);
    const order = ['PmdPopulated', 'KernelPageMapped', 'VmallocSeqIncremented', 'DeviceMapped'];
    expect(types.filter((type) => order.includes(type))).toEqual(order);
    map(bench, PA + 0x1000);
    expect(seqs(bench)).toEqual({ 0: 1 });
  });

  it('once for a range that begins in one entry and ends in another', () => {
    const bench = lab();
    map(bench, PA, PAIR + 4096);
    expect(bench.factsOf('VmallocSeqIncremented' as never)).toHaveLength(1);
  });

  it('tables that are behind are copied by the check of a switch, or of enter_lazy_tlb; no fault is needed', () => {
    const bench = lab();
    const va = map(bench);
    expect(reaches(bench, 1, va)).toBe(false);
    check(bench, 2);
    expect(reaches(bench, 1, va)).toBe(true);
    const from = bench.facts.length;
    check(bench, 2);
    expect(typesFrom(bench, from)).not.toContain('KernelEntriesCopied');
    expect(seqs(bench)).toEqual({ 0: 1, 2: 1 });
  });

  it('HB-13: a mapping that fails has added a word, and without syncOnError nobody is told', () => {
    for (const syncOnError of [true, false]) {
      const bench = lab({ syncOnError });
      exhaust(bench, 1);
      expect(map(bench, PA, PAIR + 4096)).toBeUndefined();
      const va = map(bench);
      expect(va, 'the table is there').toBe(bench.slots['page-table'].kernel?.vmallocStart);
      check(bench, 2);
      expect(reaches(bench, 1, va)).toBe(syncOnError);
    }
  });

  it('HB-15: what is counted between the copy and the read of the number is missed', () => {
    for (const order of ['acquire', 'relaxed'] as const) {
      const bench = lab({ order });
      map(bench, PA, PAIR - 4096);
      const next: { va?: number } = {};
      const from = bench.facts.length;
      // CPU 0 maps into the next two megabytes as soon as CPU 1 has copied.
      bench.race([{ cpu: 1, routine: bench.slots.ioremap.checkVmallocSeq(on(1), 2) }], () => {
        if (next.va === undefined && typesFrom(bench, from).includes('KernelEntriesCopied'))
          next.va = present(map(bench), 'room');
        return 0;
      });
      expect(reaches(bench, 1, next.va)).toBe(order === 'acquire');
      expect(seqs(bench)).toEqual({ 0: 2, 2: 2 });
    }
  });
});
