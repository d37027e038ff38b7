import { processesKey } from '@tablewalk/contracts';
import type { VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

/** cpu_arm926_switch_mm, arch/arm/mm/proc-arm926.S: write the tables' base, then invalidate both TLBs. */
describe('asid-none', () => {
  const lab = new Lab({ cpus: 1, use: [manifest] });
  lab.process(1);
  lab.process(2);

  it('every switch empties the TLB, once the new tables are in use', () => {
    lab.switchTo(0, 1);
    const from = lab.facts.length;
    lab.switchTo(0, 2);
    const types = lab.facts.slice(from).map(({ fact }) => fact.type);
    expect(types).toEqual(['MmCpumaskCleared', 'MmCpumaskSet', 'ContextSwitched', 'TlbInvalidated']);
    const [order] = lab.factsOf<VocabularyFactOf<'TlbInvalidated'>>('TlbInvalidated', from);
    expect(order?.fact.scope).toBe('all');
  });

  it('an address space that left leaves nothing behind, and so leaves mm_cpumask', () => {
    const masks = (): (boolean | undefined)[] => [1, 2].map((mm) => lab.view(processesKey)[mm]?.cpumask[0]);
    expect(masks()).toEqual([false, true]);
    lab.switchTo(0, 0);
    expect(masks()).toEqual([false, false]);
  });

  it('where device mappings have a sequence, the next tables catch up before they are loaded', () => {
    const slots = { asid: manifest.id, ioremap: 'ioremap-sections-vmalloc-seq' };
    const bench = new Lab({ cpus: 1, ram: '2MiB', known: [manifest], slots });
    const context = { cpu: 0, args: [] };
    for (const mm of [1, 2]) bench.process(mm);
    bench.switchTo(0, 1);
    const va = bench.do(0, bench.slots.ioremap.ioremap(context, 0x4000_0000, 2 ** 21)) as number;
    bench.do(0, bench.slots.ioremap.iounmap(context, va));
    const from = bench.facts.length;
    bench.switchTo(0, 2);
    const types = bench.facts.slice(from).map(({ fact }) => fact.type);
    expect(types.filter((type) => !type.startsWith('Mm'))).toEqual([
      ...['KernelEntriesCopied', 'VmallocSeqPublished', 'ContextSwitched', 'TlbInvalidated'],
    ]);
  });
});
