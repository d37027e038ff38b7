import type { KernelFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const targetsOf = (lab: Lab, from: number): number[] =>
  lab.factsOf<KernelFactOf<'IpiSent'>>('IpiSent', from).map(({ fact }) => fact.to);

/** arch/arm/kernel/smp_tlb.c, on_each_cpu_mask(mm_cpumask(mm)); spec/tlb-and-shootdown.md, 5.2. */
describe('shootdown-ipi-mm-cpumask', () => {
  const lab = new Lab({ cpus: 4, ram: '512KiB', use: [manifest] });
  lab.process(1);
  lab.process(2);
  const flush = (): number[] => {
    const from = lab.facts.length;
    lab.do(0, lab.slots.shootdown.flushTlbMm({ cpu: 0, args: [] }, 1));
    return targetsOf(lab, from);
  };

  it('interrupts nobody who never ran the mm', () => {
    lab.switchTo(0, 1);
    expect(flush()).toEqual([]);
  });

  it('interrupts who runs it, and who has run it: on ARM the bit stays when the mm leaves', () => {
    lab.switchTo(2, 1);
    expect(flush()).toEqual([2]);
    lab.switchTo(2, 2);
    lab.switchTo(3, 1);
    expect(flush()).toEqual([2, 3]);
  });

  it('the acknowledgement comes after the invalidation on the target', () => {
    const from = lab.facts.length;
    flush();
    const on2 = lab.facts.slice(from).filter(({ cpu }) => cpu === 2);
    expect(on2.map(({ fact }) => fact.type)).toEqual(['IpiDelivered', 'TlbInvalidated', 'IpiAcknowledged']);
  });
});
