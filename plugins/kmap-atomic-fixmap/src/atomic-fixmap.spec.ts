import type { Routine } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const KM_USER0 = 3;
const [P, Q] = [0x90001, 0x90002];
const on = (cpu: number) => ({ cpu, args: [] });

/** spec/kmap.md, 4: `idx = type + KM_TYPE_NR * smp_processor_id()`. */
describe('kmap-atomic-fixmap', () => {
  const newLab = (knobs: object = {}): Lab =>
    new Lab({ cpus: 2, slots: { kmap: { use: manifest.id, ...knobs } } });
  const typesOf = (lab: Lab): string[] => lab.facts.map(({ fact }) => fact.type);

  it('has a slot for each km_type of each CPU', () => {
    const lab = newLab();
    const { kmap } = lab.slots;
    const map = (cpu: number, type: number): number => lab.do(cpu, kmap.map(on(cpu), P, type));
    expect([map(0, 0), map(0, KM_USER0), map(1, KM_USER0)]).toEqual([
      0xfff0_0000,
      0xfff0_3000,
      0xfff0_0000 + (KM_USER0 + 16) * 4096,
    ]);
    expect(() => map(0, 16)).toThrow(/KM_TYPE_NR/);
  });

  it('takes no lock and flushes its own TLB only; unmap leaves entry and TLB as they are', () => {
    const lab = newLab();
    const { kmap } = lab.slots;
    const va = lab.do(1, kmap.map(on(1), P, KM_USER0));
    lab.do(1, kmap.unmap(on(1), va, P, KM_USER0));
    expect(typesOf(lab)).toEqual(['KmapSlotMapped', 'TlbInvalidated', 'KmapSlotUnmapped']);
    expect(lab.facts[1]?.fact).toMatchObject({ cpu: 1, startVpn: va / 4096, endVpn: va / 4096 + 1 });
    expect(kmap.pfnAt(lab.view, va)).toBe(P);
  });

  it('with CONFIG_DEBUG_HIGHMEM clears the entry at unmap, and flushes', () => {
    const lab = newLab({ debugHighmem: true });
    const { kmap } = lab.slots;
    const va = lab.do(0, kmap.map(on(0), P, KM_USER0));
    lab.do(0, kmap.unmap(on(0), va, P, KM_USER0));
    expect(typesOf(lab).slice(2)).toEqual(['KmapSlotUnmapped', 'TlbInvalidated']);
    expect(kmap.pfnAt(lab.view, va)).toBeUndefined();
  });

  it('asks nobody whether a slot is free: the same type twice on a CPU overwrites it (KA-1)', () => {
    const lab = newLab();
    const { kmap } = lab.slots;
    const first = lab.do(0, kmap.map(on(0), P, KM_USER0));
    const second = lab.do(0, kmap.map(on(0), Q, KM_USER0));
    expect(second).toBe(first);
    expect(kmap.pfnAt(lab.view, first)).toBe(Q);
  });

  it('raises preempt_count of a task from before the entry is written until after it is given up', () => {
    const { kmap } = newLab().slots;
    const task = { cpu: 0, args: [], task: 5 };
    const without = newLab({ disablePreemption: false }).slots.kmap;
    expect(ordersOf(kmap.map(task, P, KM_USER0))).toEqual(['DisablePreemption', 'SetEntry', 'InvalidateTlb']);
    expect(ordersOf(kmap.unmap(task, 0xfff0_3000, P, KM_USER0))).toEqual(['LeaveEntry', 'EnablePreemption']);
    expect(ordersOf(without.map(task, P, KM_USER0))).toEqual(['SetEntry', 'InvalidateTlb']);
    expect(ordersOf(kmap.map(on(0), P, KM_USER0)), 'a handler').toEqual(['SetEntry', 'InvalidateTlb']);
  });
});

/** The orders that a routine gives, whatever comes of them. */
function ordersOf(routine: Routine<unknown>): string[] {
  const orders: string[] = [];
  for (let step = routine.next([]); step.done !== true; step = routine.next([]))
    if (step.value.kind === 'issue') orders.push(step.value.command.type);
  return orders;
}
