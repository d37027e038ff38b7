import { cpusKey, locksKey } from '@tablewalk/contracts';
import type { CacheOperation, DmaDirection, Manifest, Routine, VocabularyFactOf } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import type { Knobs } from '../small-machine.ts';

type ByDirection = Readonly<Record<DmaDirection, CacheOperation | 'nothing'>>;
export interface DmaCase {
  readonly knobs: Knobs;
  /** What becomes of the lines of a page that is handed over, and of one that is taken back. */
  readonly map: ByDirection;
  readonly unmap: ByDirection;
}

const PFN = 0x91234;
const DIRECTIONS = ['to-device', 'from-device', 'bidirectional'] as const;
type Maintained = VocabularyFactOf<'CacheMaintained'>;

/** spec/caches-and-dma.md, 4: which operation each direction needs, on every line of the page once. */
export function dmaSuite(manifest: Manifest, cases: readonly DmaCase[]): void {
  describe.each(cases)(`slot dma: ${manifest.id} $knobs`, ({ knobs, ...operations }) => {
    const newLab = (): Lab =>
      new Lab({
        cpus: 1,
        known: [manifest],
        slots: {
          dma: { use: manifest.id, ...knobs },
          kmap: { use: 'kmap-pkmap-pinned', slots: 4 },
          cache: 'cache-vivt',
        },
      });
    const transfer = (lab: Lab, phase: 'map' | 'unmap', direction: DmaDirection): Routine =>
      lab.slots.dma[phase === 'map' ? 'mapPage' : 'unmapPage'](CPU0, PFN, direction);

    const each = (['map', 'unmap'] as const).flatMap((phase) =>
      DIRECTIONS.map((direction) => ({ phase, direction, expected: operations[phase][direction] })),
    );
    it.each(each)('$phase $direction: $expected', ({ phase, direction, expected }) => {
      const lab = newLab();
      const va = mapOnce(lab, PFN);
      const from = lab.facts.length;
      lab.do(0, transfer(lab, phase, direction));
      const orders = lab.factsOf<Maintained>('CacheMaintained', from).map(({ fact }) => fact);
      expect(new Set(orders.map(({ operation }) => operation))).toEqual(
        new Set(expected === 'nothing' ? [] : [expected]),
      );
      let reached = 0;
      for (const order of orders) {
        expect([order.whole, order.va, order.pa]).toEqual([false, va + reached, PFN * 4096 + reached]);
        reached += order.bytes;
      }
      expect(reached).toBe(expected === 'nothing' ? 0 : 4096);
    });

    it('leaves the page with as many users as it had, locks free and IRQs as they were', () => {
      const lab = newLab();
      mapOnce(lab, PFN);
      for (const { phase, direction } of each) lab.do(0, transfer(lab, phase, direction));
      expect(lab.view(locksKey)).toEqual({});
      expect(lab.view(cpusKey)[0]?.irqsOff).toBe(0);
      for (let i = 1; i < 8; i++) mapOnce(lab, PFN + i);
      expect(lab.slots.kmap.pageAddress(lab.view, PFN)).toBeUndefined();
    });

    it('a page without a kernel address has no lines in a virtually tagged cache', () => {
      const lab = newLab();
      for (const { phase, direction } of each) lab.do(0, transfer(lab, phase, direction));
      expect(lab.factsOf<Maintained>('CacheMaintained')).toEqual([]);
    });
  });
}

const CPU0 = { cpu: 0, args: [] };

/** kmap and kunmap: the page keeps its address until the table wraps. */
function mapOnce(lab: Lab, pfn: number): number {
  const va = lab.do(0, lab.slots.kmap.map(CPU0, pfn, 0));
  lab.do(0, lab.slots.kmap.unmap(CPU0, va, pfn, 0));
  return va;
}
