import type { Routine } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const [HELD, P, Q] = [0x90001, 0x90002, 0x90003];

/** KM-1 of spec/kmap.md, 3, as far as the table goes: the address that DMA was given leads to another page. */
describe('kmap-pkmap', () => {
  const newLab = (): Lab => new Lab({ cpus: 2, slots: { kmap: { use: manifest.id, slots: 2 } } });

  it('recycles a slot while DMA works at its address', () => {
    const lab = newLab();
    const { kmap } = lab.slots;
    const on = (cpu: number) => ({ cpu, args: [] });
    lab.do(0, kmap.map(on(0), HELD, 0));
    const va = lab.do(0, kmap.map(on(0), P, 0));
    lab.do(0, kmap.unmap(on(0), va, P, 0));
    const dma = lab.do(0, kmap.highGet(on(0), P));
    expect(dma).toBe(va);
    expect(lab.do(1, kmap.map(on(1), Q, 0))).toBe(va);
    expect(kmap.pfnAt(lab.view, dma as number)).toBe(Q);
  });

  it('two CPUs that map one page at the same time share a slot, whoever is first', () => {
    for (let order = 0; order < 16; order++) {
      const lab = newLab();
      const { kmap } = lab.slots;
      const mapOn = (cpu: number): Routine<number> => kmap.map({ cpu, args: [] }, P, 0);
      let turn = 0;
      const addresses = lab.race(
        [0, 1].map((cpu) => ({ cpu, routine: mapOn(cpu) })),
        (alternatives) => (order >> (turn++ % 4)) % alternatives,
      );
      expect(addresses[0]).toBe(addresses[1]);
    }
  });
});
