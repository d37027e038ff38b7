import { Lab } from '@tablewalk/testkit';
import { vmallocKey } from '@tablewalk/vmalloc';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const [DEV1, DEV2] = [0x4000_0000, 0x4040_0000];
const SIZE = 2 ** 21;

function lab(cpus: number): Lab {
  const slots = { ioremap: { use: manifest.id, allowSmp: cpus > 1 } };
  const machine = { cpus, ram: '2MiB', known: [manifest], slots };
  const bench = new Lab(machine, { speculativeWalks: [], evictions: [] });
  for (const mm of [1, 2]) bench.process(mm);
  for (let cpu = 0; cpu < cpus; cpu++) bench.switchTo(cpu, cpu + 1);
  return bench;
}
const on = (cpu: number) => ({ cpu, args: [] });
const map = (bench: Lab, pa: number, bytes = SIZE): number =>
  bench.do(0, bench.slots.ioremap.ioremap(on(0), pa, bytes)) as number;
const unmap = (bench: Lab, va: number): void => bench.do(0, bench.slots.ioremap.iounmap(on(0), va));
/** A driver's load, with do_translation_fault behind it. */
function reach(bench: Lab, cpu: number, va: number): number | undefined {
  for (;;) {
    const outcome = bench.do(cpu, bench.model.access(on(cpu), va, false));
    if (outcome.kind === 'done') return outcome.pa;
    if (!bench.do(cpu, bench.slots.pgd.translationFault(on(cpu), va))) return undefined;
  }
}
const typesFrom = (bench: Lab, from: number): string[] =>
  bench.facts.slice(from).map(({ fact }) => fact.type);

describe('ioremap-sections-vmalloc-seq', () => {
  it('what is added needs no increment: lazy faults spread it (spec/ioremap.md, 2.1)', () => {
    const bench = lab(1);
    const from = bench.facts.length;
    const va = map(bench, DEV1);
    expect(typesFrom(bench, from)).not.toContain('VmallocSeqIncremented');
    expect(va % SIZE).toBe(0);
    expect(reach(bench, 0, va + 0x10_0004)).toBe(DEV1 + 0x10_0004);
  });

  it('iounmap: clear both halves, count, copy for the active mm, flush, free the range (2.3)', () => {
    const bench = lab(1);
    const va = map(bench, DEV1);
    reach(bench, 0, va);
    const from = bench.facts.length;
    unmap(bench, va);
    expect(typesFrom(bench, from)).toEqual([
      ...['WordStored', 'KernelSectionUnmapped', 'WordStored', 'KernelSectionUnmapped'],
      'VmallocSeqIncremented',
      ...['WordsCopied', 'KernelEntriesCopied', 'VmallocSeqPublished'],
      'TlbInvalidated',
      'DeviceUnmapped',
    ]);
    expect(reach(bench, 0, va)).toBeUndefined();
  });

  it('tables that are behind are copied when they are switched to, before TTBR0 is loaded', () => {
    const bench = lab(1);
    const va = map(bench, DEV1);
    bench.switchTo(0, 2);
    reach(bench, 0, va);
    bench.switchTo(0, 1);
    unmap(bench, va);
    const from = bench.facts.length;
    bench.switchTo(0, 2);
    const types = typesFrom(bench, from);
    expect(types.indexOf('KernelEntriesCopied')).toBeGreaterThanOrEqual(0);
    expect(types.indexOf('KernelEntriesCopied')).toBeLessThan(types.indexOf('ContextSwitched'));
    expect(reach(bench, 0, va)).toBeUndefined();
    const again = bench.facts.length;
    bench.switchTo(0, 1);
    bench.switchTo(0, 2);
    expect(typesFrom(bench, again)).not.toContain('KernelEntriesCopied');
  });

  it('a removal while words are copied makes another round; published is what was read first (2.4)', () => {
    const bench = lab(1);
    const vas = [map(bench, DEV1), map(bench, DEV2)];
    bench.switchTo(0, 2);
    for (const va of vas) reach(bench, 0, va);
    bench.switchTo(0, 1);
    unmap(bench, vas[0] as number);
    const from = bench.facts.length;
    let counted = false;
    bench.race([{ cpu: 0, routine: bench.slots.ioremap.checkVmallocSeq(on(0), 2) }], () => {
      if (!counted && typesFrom(bench, from).includes('KernelEntriesCopied')) {
        counted = true;
        bench.note({ type: 'VmallocSeqIncremented', seq: 2 } as never);
      }
      return 0;
    });
    const published = bench.factsOf<never>('VmallocSeqPublished' as never, from);
    expect(published.map(({ fact }) => (fact as { seq: number }).seq)).toEqual([1, 2]);
    expect(bench.view(vmallocKey).seq).toEqual({ 0: 2, 1: 1, 2: 2 });
  });

  it('sections over an old table of pages: it is freed, and every first level is behind', () => {
    const bench = lab(1);
    const pages = map(bench, DEV1, 4096);
    reach(bench, 0, pages);
    unmap(bench, pages);
    const from = bench.facts.length;
    expect(map(bench, DEV2)).toBe(pages);
    const types = typesFrom(bench, from);
    expect(types).toContain('PmdCleared');
    expect(types.indexOf('VmallocSeqIncremented')).toBeLessThan(types.indexOf('PageFreed'));
    expect(reach(bench, 0, pages)).toBe(DEV2);
  });

  it('what is no whole number of two megabytes is mapped by pages', () => {
    const bench = lab(1);
    const from = bench.facts.length;
    expect(reach(bench, 0, map(bench, DEV1 + 0x10_0000, SIZE) + 4)).toBe(DEV1 + 0x10_0004);
    expect(reach(bench, 0, map(bench, DEV2, SIZE - 4096))).toBe(DEV2);
    expect(typesFrom(bench, from)).not.toContain('KernelSectionMapped');
  });

  it('IO-1: a CPU that runs on reaches the old device, in place of the new one, and no fault tells', () => {
    const bench = lab(2);
    const va = map(bench, DEV1);
    expect(reach(bench, 1, va)).toBe(DEV1);
    unmap(bench, va);
    expect(map(bench, DEV2)).toBe(va);
    expect(reach(bench, 0, va)).toBe(DEV2);
    expect(reach(bench, 1, va)).toBe(DEV1);
    bench.switchTo(1, 2);
    bench.do(1, bench.slots.shootdown.flushTlbMm(on(1), 2));
    bench.journal.issue(bench.slots.tlb.invalidate(1, 'all', 0, 0, 0), 1);
    expect(reach(bench, 1, va), 'the next switch repairs: too late').toBe(DEV2);
  });

  it('more than one CPU is refused, as by Linux, unless it is asked for', () => {
    expect(() => new Lab({ cpus: 2, use: [manifest] })).toThrow(/compiled out on SMP/);
  });
});
