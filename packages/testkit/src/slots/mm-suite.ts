import { cpusKey, FaultKind, locksKey, processesKey, TrapKind } from '@tablewalk/contracts';
import type { Manifest } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import type { Knobs } from '../small-machine.ts';
import { besideBoundlessTlb } from './neighbours.ts';

export interface MmSupport {
  /** Knobs under which `exit` gives everything back. */
  readonly knobs?: readonly Knobs[];
}

const PAGES = [0x8000, 0x9000, 0x20_0000, 0x4000_0000];

/** The life of an address space, from creation to exit. */
export function mmSuite(manifest: Manifest, { knobs = [{}] }: MmSupport = {}): void {
  describe.each(knobs)(`slot mm: ${manifest.id} %j`, (knob) => {
    const newLab = (): Lab => new Lab({ ...besideBoundlessTlb(manifest, knob), cpus: 2, ram: '384KiB' });
    const running = (mm = 1): Lab => {
      const lab = newLab();
      lab.process(mm);
      lab.switchTo(0, mm);
      return lab;
    };

    it('maps a page at its first touch, to a frame that is its own', () => {
      hold(
        fc.property(fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 12 }), (accesses) => {
          const lab = running();
          const stored = new Set<number>();
          for (const [page, store] of accesses) {
            const va = PAGES[page] as number;
            lab.access(0, va + 0x10, store);
            if (store) stored.add(va);
            const entry = lab.slots['page-table'].lookup(lab.view, 1, va);
            expect(entry?.young).toBe(true);
            if (stored.has(va)) expect(entry?.dirty, 'a store makes a page dirty').toBe(true);
            expect(lab.physical(0, va)).toBe((entry?.pfn ?? -1) * 4096);
            expect(lab.slots.frames.userPage(lab.view, entry?.pfn ?? -1)).toEqual({ mm: 1, va });
          }
          expect(lab.view(locksKey)).toEqual({});
        }),
        30,
      );
    });

    it('maps one frame when two CPUs of one process fault on a page at once', () => {
      hold(
        fc.property(draws, fc.boolean(), (picks, store) => {
          const lab = running();
          lab.switchTo(1, 1);
          const before = lab.slots.frames.freePages(lab.view);
          const jobs = [0, 1].map((cpu) => ({
            cpu,
            routine: lab.faultRoutine(cpu, 1, 0x8000, store, FaultKind.translation, 1),
          }));
          let next = 0;
          lab.race(jobs, (alternatives) => (picks[next++ % picks.length] as number) % alternatives);
          expect(before - lab.slots.frames.freePages(lab.view), 'a frame and a table').toBeLessThanOrEqual(2);
          for (const cpu of [0, 1]) lab.access(cpu, 0x8000, store);
          expect(lab.physical(0, 0x8000)).toBe(lab.physical(1, 0x8000));
        }),
        60,
      );
    });

    it('lets every access through in the end, whatever the TLBs of two CPUs remember of young and clean', () => {
      const touch = fc.record({
        cpu: fc.nat(1),
        page: fc.nat(1),
        what: fc.constantFrom('load', 'store', 'age'),
      });
      hold(
        fc.property(fc.array(touch, { maxLength: 30 }), (touches) => {
          const lab = running();
          lab.switchTo(1, 1);
          for (const { cpu, page, what } of touches) {
            const va = PAGES[page] as number;
            // As reclaim does it: the entry becomes old, no TLB is told (spec/page-tables.md, 1.7).
            if (what === 'age') lab.do(cpu, lab.slots['page-table'].clearYoung({ cpu, args: [] }, 1, va));
            else lab.access(cpu, va, what === 'store');
          }
        }),
        60,
      );
    });

    it('gives everything back at exit, and leaves no CPU in the address space', () => {
      const lab = newLab();
      lab.process(1);
      const before = lab.slots.frames.freePages(lab.view);
      for (let mm = 2; mm < 6; mm++) {
        lab.process(mm);
        lab.switchTo(0, mm);
        PAGES.forEach((va, i) => {
          lab.access(0, va, i % 2 === 0);
        });
        lab.do(0, exitOf(lab, mm));
        expect(lab.view(processesKey)[mm]?.phase).toBe('exited');
        expect(lab.view(cpusKey)[0]?.mm).toBe(0);
        expect(lab.slots.frames.freePages(lab.view), `after exit ${mm}`).toBe(before);
        expect(lab.slots['page-table'].mappedPages(lab.view, mm)).toEqual([]);
      }
    });

    it('kills a process that goes beyond its addresses, and one for which there is no memory', () => {
      const lab = running();
      lab.fault(0, lab.slots['page-table'].taskSize, true, FaultKind.translation, 1);
      expect(lab.factsOf('ProcessKilled').length).toBe(1);
      expect(lab.view(processesKey)[1]?.phase).toBe('exited');
      lab.process(2);
      lab.switchTo(0, 2);
      while (lab.do(0, lab.slots.frames.allocate('kernel', 0)) !== undefined);
      expect(lab.touch(0, 0x8000).trap).toBe(TrapKind.fault);
      lab.fault(0, 0x8000, false, FaultKind.translation, 1);
      expect(lab.factsOf('ProcessKilled').length).toBe(2);
      expect(lab.view(processesKey)[2]?.phase).toBe('exited');
    });

    it('makes room by reclaim when memory is short, and goes on', () => {
      const lab = running();
      const pages = lab.slots.frames.freePages(lab.view) + 8;
      for (let i = 0; i < pages; i++) lab.access(0, 0x10_0000 + i * 4096, true);
      expect(lab.factsOf('PageReclaimed').length).toBeGreaterThan(0);
      expect(lab.factsOf('ProcessKilled')).toEqual([]);
    });
  });
}

const draws = fc.array(fc.nat(1000), { minLength: 20, maxLength: 60 });

function exitOf(lab: Lab, mm: number): ReturnType<Lab['faultRoutine']> {
  const program = lab.slots.mm.programs['exit'];
  if (program === undefined) throw new Error('the plugin has no program exit');
  return program({ cpu: 0, args: [mm] });
}
