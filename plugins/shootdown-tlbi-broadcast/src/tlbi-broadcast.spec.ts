import type { VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

/** ARM ARM DDI 0406C B3.10.5; spec/tlb-and-shootdown.md, 5.4: DSB ISHST, TLBI ...IS, DSB ISH. */
describe('shootdown-tlbi-broadcast', () => {
  const lab = new Lab({ cpus: 2, use: [manifest] });
  lab.process(1);

  it('reaches every CPU between two barriers and interrupts none', () => {
    const from = lab.facts.length;
    lab.do(1, lab.slots.shootdown.flushTlbRange({ cpu: 1, args: [] }, 1, 8, 9));
    expect(lab.facts.slice(from).map(({ fact }) => fact.type)).toEqual([
      'BarrierCompleted',
      'TlbInvalidated',
      'TlbInvalidated',
      'BarrierCompleted',
    ]);
    const orders = lab.factsOf<VocabularyFactOf<'TlbInvalidated'>>('TlbInvalidated', from);
    expect(orders.map(({ fact: { cpu, scope, asid } }) => [cpu, scope, asid])).toEqual([
      [0, 'va', 1],
      [1, 'va', 1],
    ]);
  });

  it('a whole mm goes by its ASID', () => {
    const from = lab.facts.length;
    lab.do(0, lab.slots.shootdown.flushTlbMm({ cpu: 0, args: [] }, 1));
    const orders = lab.factsOf<VocabularyFactOf<'TlbInvalidated'>>('TlbInvalidated', from);
    expect(orders.map(({ fact: { scope, asid } }) => [scope, asid])).toEqual([
      ['asid', 1],
      ['asid', 1],
    ]);
  });
});
