import { locksKey, TrapKind } from '@tablewalk/contracts';
import type { Fact, Manifest } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import type { Knobs } from '../small-machine.ts';
import { besideBoundlessTlb } from './neighbours.ts';

export interface ReclaimSupport {
  readonly knobs?: readonly Knobs[];
}

type Freed = Fact & { type: 'PageFreed'; pfn: number };
type Reclaimed = Fact & { type: 'PageReclaimed'; mm: number; va: number; pfn: number };

const pageAt = (i: number): number => 0x10_0000 + i * 4096;

/** Pages are taken back from processes, and only pages; what it says it freed is free. */
export function reclaimSuite(manifest: Manifest, { knobs = [{}] }: ReclaimSupport = {}): void {
  describe.each(knobs)(`slot reclaim: ${manifest.id} %j`, (knob) => {
    /** Two processes with so many pages each; CPU 1 has been in both. */
    const newLab = (pages: readonly [number, number]): Lab => {
      const lab = new Lab({ ...besideBoundlessTlb(manifest, knob), cpus: 2, ram: '384KiB' });
      pages.forEach((count, i) => {
        lab.process(i + 1);
        for (const cpu of [0, 1]) {
          lab.switchTo(cpu, i + 1);
          for (let page = 0; page < count; page++) lab.access(cpu, pageAt(page), page % 3 === 0);
        }
      });
      return lab;
    };

    it('frees what it says: unmapped, out of every TLB, back in the allocator; all else stays mapped', () => {
      hold(
        fc.property(fc.nat(12), fc.nat(12), fc.integer({ min: 1, max: 16 }), (one, two, wanted) => {
          const lab = newLab([one, two]);
          const { slots } = lab;
          const freeBefore = slots.frames.freePages(lab.view);
          const from = lab.facts.length;
          const freed = lab.do(0, slots.reclaim.reclaim({ cpu: 0, args: [] }, wanted));
          expect(freed).toBeLessThanOrEqual(Math.min(wanted, one + two));
          if (one + two > 0) expect(freed, 'there were pages to take').toBeGreaterThan(0);
          expect(slots.frames.freePages(lab.view)).toBe(freeBefore + freed);
          const taken = lab
            .factsOf<Reclaimed>('PageReclaimed', from)
            .map(({ fact }) => `${fact.mm}:${fact.va}`);
          expect(new Set(taken).size).toBe(freed);
          checkMappings(lab, [one, two], taken);
          expect(lab.view(locksKey)).toEqual({});
        }),
        30,
      );
    });

    it('answers 0, and ends, when there is nothing to take', () => {
      const lab = newLab([0, 0]);
      expect(lab.do(1, lab.slots.reclaim.reclaim({ cpu: 1, args: [] }, 8))).toBe(0);
    });

    it('frees no page twice when two CPUs reclaim at once', () => {
      hold(
        fc.property(draws, (picks) => {
          const lab = newLab([10, 6]);
          const before = lab.slots.frames.freePages(lab.view);
          const from = lab.facts.length;
          let next = 0;
          const jobs = [0, 1].map((cpu) => ({
            cpu,
            routine: lab.slots.reclaim.reclaim({ cpu, args: [] }, 9),
          }));
          const freed = lab.race(
            jobs,
            (alternatives) => (picks[next++ % picks.length] as number) % alternatives,
          );
          const pages = lab.factsOf<Freed>('PageFreed', from).map(({ fact }) => fact.pfn);
          expect(new Set(pages).size).toBe(pages.length);
          expect(pages.length).toBe((freed[0] ?? 0) + (freed[1] ?? 0));
          expect(lab.slots.frames.freePages(lab.view)).toBe(before + pages.length);
        }),
        30,
      );
    });
  });
}

const draws = fc.array(fc.nat(1000), { minLength: 20, maxLength: 80 });

function checkMappings(lab: Lab, pages: readonly [number, number], taken: readonly string[]): void {
  pages.forEach((count, i) => {
    const mm = i + 1;
    const all = Array.from({ length: count }, (_, page) => pageAt(page));
    const kept = all.filter((va) => !taken.includes(`${mm}:${va}`));
    expect(lab.slots['page-table'].mappedPages(lab.view, mm)).toEqual(kept);
    for (const cpu of [0, 1]) {
      lab.switchTo(cpu, mm);
      for (const va of all) if (!kept.includes(va)) expect(lab.touch(cpu, va).trap).toBe(TrapKind.fault);
    }
  });
}
