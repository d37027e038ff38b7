import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const [P, Q] = [0x90001, 0x90002];
const on = (cpu: number) => ({ cpu, args: [] });

/** arch/arm/mm/highmem.c since commit 3e4d3af501cc; spec/kmap.md, 4 and 4.1. */
describe('kmap-atomic-stack', () => {
  const newLab = (knobs: object = {}): Lab =>
    new Lab({ cpus: 2, slots: { kmap: { use: manifest.id, ...knobs } } });
  const typesOf = (lab: Lab, from = 0): string[] => lab.facts.slice(from).map(({ fact }) => fact.type);

  it('takes the next index of its CPU, whatever km_type is named, and gives it back last', () => {
    const lab = newLab();
    const { kmap } = lab.slots;
    const map = (cpu: number, pfn: number): number => lab.do(cpu, kmap.map(on(cpu), pfn, 3));
    const [first, second, other] = [map(0, P), map(0, Q), map(1, P)];
    expect([first, second, other]).toEqual([0xfff0_0000, 0xfff0_1000, 0xfff0_0000 + 16 * 4096]);
    const from = lab.facts.length;
    lab.do(0, kmap.unmap(on(0), second, Q, 3));
    expect(typesOf(lab, from)).toEqual(['KmapSlotUnmapped', 'KmapIndexPopped']);
    expect(map(0, P)).toBe(second);
  });

  it('before commit 20273941f212 the index was given back first', () => {
    const lab = newLab({ pop: 'first' });
    const { kmap } = lab.slots;
    const va = lab.do(0, kmap.map(on(0), P, 0));
    const from = lab.facts.length;
    lab.do(0, kmap.unmap(on(0), va, P, 0));
    expect(typesOf(lab, from)).toEqual(['KmapIndexPopped', 'KmapSlotUnmapped']);
  });

  it('mappings that are given back in the wrong order, or are too many, are bugs (KA-3)', () => {
    const lab = newLab({ types: 2 });
    const { kmap } = lab.slots;
    const first = lab.do(0, kmap.map(on(0), P, 0));
    lab.do(0, kmap.map(on(0), Q, 0));
    expect(() => lab.do(0, kmap.map(on(0), P, 0))).toThrow(/more than 2 kmap_atomic/);
    const again = newLab({ types: 2 });
    again.do(0, again.slots.kmap.map(on(0), P, 0));
    again.do(0, again.slots.kmap.map(on(0), Q, 0));
    expect(() => again.do(0, again.slots.kmap.unmap(on(0), first, P, 0))).toThrow(/not the last one/);
  });
});
