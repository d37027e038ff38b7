import { cpusKey, processesKey } from '@tablewalk/contracts';
import type { Manifest } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import type { Knobs } from '../small-machine.ts';
import { besideBoundlessTlb } from './neighbours.ts';

export interface AsidSupport {
  readonly knobs?: readonly Knobs[];
  /** False when the TLB cannot tell address spaces apart, so that all run under one number. Default true. */
  readonly tellsApart?: boolean;
  /** Bits of the hardware ASID. */
  readonly bits?: number;
}

const MMS = [1, 2, 3];
const PAGES = [0x8000, 0x9000];

/** spec/mmu-gather.md INV-7 and INV-8; spec/asid.md R3. */
export function asidSuite(
  manifest: Manifest,
  { knobs = [{}], tellsApart = true, bits = 8 }: AsidSupport = {},
): void {
  describe.each(knobs)(`slot asid: ${manifest.id} %j`, (knob) => {
    const newLab = (): Lab => {
      const lab = new Lab({ ...besideBoundlessTlb(manifest, knob), cpus: 2, ram: '512KiB' });
      for (const mm of MMS) lab.process(mm);
      return lab;
    };

    it('ends a switch with tables and number of the next address space, and its bit in mm_cpumask', () => {
      const lab = newLab();
      const { slots } = lab;
      for (const [cpu, mm] of [
        [0, 1],
        [1, 2],
        [0, 3],
        [0, 0],
        [1, 1],
      ] as const) {
        lab.switchTo(cpu, mm);
        const state = lab.view(cpusKey)[cpu];
        expect([state?.mm, state?.ttbr]).toEqual([mm, slots['page-table'].ttbr(lab.view, mm)]);
        expect(state?.irqsOff).toBe(0);
        if (mm === 0) continue;
        expect(state?.asid).toBe(slots.asid.asidOf(lab.view, mm));
        expect(lab.view(processesKey)[mm]?.cpumask[cpu]).toBe(true);
      }
    });

    it('sets the bit in mm_cpumask before the tables are in use: a shootdown in between must not miss the CPU', () => {
      const lab = newLab();
      const from = lab.facts.length;
      lab.switchTo(1, 2);
      const types = lab.facts.slice(from).map(({ fact }) => fact.type);
      expect(types.indexOf('MmCpumaskSet')).toBeGreaterThanOrEqual(0);
      expect(types.indexOf('MmCpumaskSet')).toBeLessThan(types.indexOf('ContextSwitched'));
    });

    it('lets no process see the pages of another, however the CPUs switch', () => {
      hold(
        fc.property(fc.array(event, { maxLength: 40 }), (events) => {
          const lab = newLab();
          for (const { cpu, mm, page, store } of events) {
            if (mm !== undefined) lab.switchTo(cpu, mm);
            checkNumbers(lab, tellsApart, bits);
            const running = lab.mmOn(cpu);
            if (running === 0) continue;
            const va = PAGES[page] as number;
            lab.access(cpu, va, store);
            const pa = lab.physical(cpu, va);
            const pfn = lab.slots['page-table'].lookup(lab.view, running, va)?.pfn ?? -1;
            expect(pa, `mm ${running} on CPU ${cpu} at ${va}`).toBe(pfn * 4096);
            expect(lab.slots.frames.userPage(lab.view, pfn)).toEqual({ mm: running, va });
          }
        }),
        40,
      );
    });
  });
}

const event = fc.record({
  cpu: fc.nat(1),
  mm: fc.option(fc.constantFrom(0, ...MMS), { nil: undefined }),
  page: fc.nat(1),
  store: fc.boolean(),
});

/** Numbers fit the hardware; CPUs in one address space share one, CPUs in two do not. */
function checkNumbers(lab: Lab, tellsApart: boolean, bits: number): void {
  const running = lab.view(cpusKey).filter(({ mm }) => mm !== 0);
  for (const { asid } of running) expect(asid).toBeLessThan(2 ** bits);
  const [one, other] = running;
  if (one === undefined || other === undefined || !tellsApart) return;
  expect(one.asid === other.asid, `ASIDs of mm ${one.mm} and ${other.mm}`).toBe(one.mm === other.mm);
}
