import type { KernelFactOf, VocabularyFactOf } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const context = { cpu: 1, args: [] };

/** on_each_cpu of arch/arm/kernel/smp_tlb.c; spec/tlb-and-shootdown.md, 5.3. */
describe('shootdown-ipi-all', () => {
  it('interrupts every other CPU, whatever it runs, and waits for all of them', () => {
    const lab = new Lab({ cpus: 3, ram: '512KiB', use: [manifest] });
    lab.process(1);
    lab.do(1, lab.slots.shootdown.flushTlbRange(context, 1, 8, 10));
    const sent = lab.factsOf<KernelFactOf<'IpiSent'>>('IpiSent').map(({ fact }) => fact.to);
    expect(sent).toEqual([0, 2]);
    const orders = lab.factsOf<VocabularyFactOf<'TlbInvalidated'>>('TlbInvalidated').map(({ fact }) => fact);
    expect(orders.map(({ cpu }) => cpu).sort()).toEqual([0, 1, 2]);
    for (const { scope, asid, startVpn, endVpn } of orders)
      expect([scope, asid, startVpn, endVpn]).toEqual(['va', 1, 8, 10]);
    expect(lab.factsOf('IpiAcknowledged').length).toBe(2);
  });

  it('does not wait for itself: on one CPU there is nobody to interrupt', () => {
    const lab = new Lab({ cpus: 1, use: [manifest] });
    lab.process(1);
    lab.do(0, lab.slots.shootdown.flushTlbMm({ cpu: 0, args: [] }, 1));
    expect(lab.factsOf('IpiSent')).toEqual([]);
    expect(
      lab.factsOf<VocabularyFactOf<'TlbInvalidated'>>('TlbInvalidated').map(({ fact }) => fact.scope),
    ).toEqual(['asid']);
  });

  it('two CPUs that shoot at each other take each other’s interrupts while they wait', () => {
    const lab = new Lab({ cpus: 2, use: [manifest] });
    lab.process(1);
    const jobs = [0, 1].map((cpu) => ({
      cpu,
      routine: lab.slots.shootdown.flushTlbMm({ cpu, args: [] }, 1),
    }));
    let turn = 0;
    lab.race(jobs, (alternatives) => turn++ % alternatives);
    expect(lab.factsOf('IpiAcknowledged').length).toBe(2);
  });
});
