import { cpusKey } from '@tablewalk/contracts';
import type { VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

function switched(onSwitch: string): string[] {
  const lab = new Lab({ cpus: 1, known: [manifest], slots: { asid: { use: manifest.id, onSwitch } } });
  lab.process(1);
  lab.process(2);
  lab.switchTo(0, 1);
  const from = lab.facts.length;
  lab.switchTo(0, 2);
  expect(lab.view(cpusKey)[0]?.asid).toBe(2);
  const orders = lab.factsOf<VocabularyFactOf<'TlbInvalidated'>>('TlbInvalidated', from);
  return orders.map(({ fact }) => `${fact.scope} ${fact.asid}`);
}

describe('asid-fixed', () => {
  it('a switch keeps the TLB, empties it, or takes the entries of the process that leaves', () => {
    expect(switched('keep')).toEqual([]);
    expect(switched('flush')).toEqual(['all 0']);
    expect(switched('flush-asid')).toEqual(['asid 1']);
  });

  it('where device mappings have a sequence, the next tables catch up before TTBR0 is loaded', () => {
    const slots = { asid: manifest.id, ioremap: 'ioremap-sections-vmalloc-seq' };
    const lab = new Lab({ cpus: 1, ram: '2MiB', known: [manifest], slots });
    const context = { cpu: 0, args: [] };
    for (const mm of [1, 2]) lab.process(mm);
    lab.switchTo(0, 1);
    const va = lab.do(0, lab.slots.ioremap.ioremap(context, 0x4000_0000, 2 ** 21)) as number;
    lab.do(0, lab.slots.ioremap.iounmap(context, va));
    const from = lab.facts.length;
    lab.switchTo(0, 2);
    const types = lab.facts.slice(from).map(({ fact }) => fact.type);
    expect(types.filter((type) => !type.startsWith('Words'))).toEqual([
      ...['MmCpumaskSet', 'KernelEntriesCopied', 'VmallocSeqPublished', 'ContextSwitched'],
    ]);
  });

  it('the 256th address space is refused: CONTEXTIDR holds 8 bits, and none is taken back', () => {
    const { slots, view } = new Lab({ cpus: 1, use: [manifest] });
    expect(slots.asid.asidOf(view, 255)).toBe(255);
    expect(() => slots.asid.asidOf(view, 256)).toThrow(/ASID_EXHAUSTED/);
  });
});
