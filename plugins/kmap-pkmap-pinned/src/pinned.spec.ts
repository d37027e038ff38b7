import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

const P = 0x90001;
const on = (cpu: number) => ({ cpu, args: [] });

/** Commit 3297e760776a; spec/kmap.md, 2.2 and 2.4, K7. */
describe('kmap-pkmap-pinned', () => {
  const newLab = (): Lab =>
    new Lab({
      cpus: 2,
      slots: { kmap: { use: manifest.id, slots: 3 }, shootdown: 'shootdown-tlbi-broadcast' },
    });

  it('a slot that DMA uses is passed by at every wrap until it is put', () => {
    const lab = newLab();
    const { kmap } = lab.slots;
    const mapOnce = (pfn: number): number => {
      const va = lab.do(1, kmap.map(on(1), pfn, 0));
      lab.do(1, kmap.unmap(on(1), va, pfn, 0));
      return va;
    };
    const va = mapOnce(P);
    expect(lab.do(0, kmap.highGet(on(0), P))).toBe(va);
    const others = [1, 2, 3, 4, 5].map((i) => mapOnce(P + i));
    expect(others).not.toContain(va);
    lab.do(0, kmap.highPut(on(0), P));
    expect([6, 7, 8].map((i) => mapOnce(P + i))).toContain(va);
  });

  it('a page that was mapped while DMA looked is pinned or is not there: never half', () => {
    for (let order = 0; order < 64; order++) {
      const lab = newLab();
      const { kmap } = lab.slots;
      let turn = 0;
      const [va, dma] = lab.race<number | undefined>(
        [
          { cpu: 0, routine: kmap.map(on(0), P, 0) },
          { cpu: 1, routine: kmap.highGet(on(1), P) },
        ],
        (alternatives) => (order >> (turn++ % 6)) % alternatives,
      );
      expect([undefined, va]).toContain(dma);
    }
  });
});
