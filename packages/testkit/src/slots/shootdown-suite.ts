import { present } from '@tablewalk/base';
import { FaultKind, ipisKey, locksKey, TrapKind } from '@tablewalk/contracts';
import type { Manifest, ProgramContext, Routine, VocabularyFactOf } from '@tablewalk/contracts';
import { DEFAULT_PLUGINS } from '@tablewalk/compose';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import { boundlessTlbManifest } from '../reference/boundless-tlb-manifest.ts';
import type { Knobs } from '../small-machine.ts';
import { besideBoundlessTlb } from './neighbours.ts';

export interface ShootdownSupport {
  readonly knobs?: readonly Knobs[];
  readonly cpus?: readonly number[];
}

const PAGES = Array.from({ length: 6 }, (_, i) => 0x8000 + i * 4096);
const FIRST = 8;

/**
 * When a flush ends, no CPU can use a translation of the range (spec/mmu-gather.md INV-3 and INV-9):
 * asked of the data plane itself, on the TLB that forgets nothing and on the default one.
 */
export function shootdownSuite(
  manifest: Manifest,
  { knobs = [{}], cpus = [1, 2, 3] }: ShootdownSupport = {},
): void {
  const tlbs = [boundlessTlbManifest.id, DEFAULT_PLUGINS.tlb];
  const machines = cpus.flatMap((count) => tlbs.map((tlb) => ({ count, tlb })));

  describe.each(knobs)(`slot shootdown: ${manifest.id} %j`, (knob) => {
    const labWith = (count: number, tlb: string): Lab => {
      const machine = besideBoundlessTlb(manifest, knob);
      const lab = new Lab({ ...machine, cpus: count, ram: '512KiB', slots: { ...machine.slots, tlb } });
      lab.process(1);
      lab.process(2);
      return lab;
    };

    it.each(machines)('leaves no CPU of $count a translation that was flushed ($tlb)', ({ count, tlb }) => {
      let staleBefore = 0;
      hold(
        fc.property(past(count), flush(count), draws, (visits, order, picks) => {
          const lab = labWith(count, tlb);
          for (const each of visits) visit(lab, each);
          clear(lab, order);
          staleBefore += reachable(lab, order).length;
          lab.race(flushes(lab, order, count), pickFrom(picks));
          expect(lab.view(ipisKey).open, 'an IPI that nobody acknowledged').toEqual([]);
          expect(lab.view(locksKey)).toEqual({});
          expect(reachable(lab, order), 'pages reached through a translation that was flushed').toEqual([]);
        }),
        25,
      );
      expect(staleBefore, 'no TLB ever held what was to be flushed').toBeGreaterThan(0);
    });

    it('takes nothing from another address space that it could not have again by a walk', () => {
      const lab = labWith(2, boundlessTlbManifest.id);
      for (const cpu of [0, 1]) {
        visit(lab, { cpu, mm: 1, pages: [0, 1, 2] });
        visit(lab, { cpu, mm: 2, pages: [0, 1, 2] });
      }
      lab.do(0, lab.slots.shootdown.flushTlbRange({ cpu: 0, args: [] }, 1, FIRST, FIRST + 3));
      lab.do(1, lab.slots.shootdown.flushTlbMm({ cpu: 1, args: [] }, 1));
      for (const cpu of [0, 1])
        for (const va of PAGES.slice(0, 3)) expect(lab.touch(cpu, va).trap).toBe(TrapKind.none);
    });

    if (manifest.facets?.includes('kernel-ranges') !== true) return;
    it.each(cpus)(
      'a kernel range goes from every CPU of %i, and is global: its ASID does not matter',
      (count) => {
        const lab = labWith(count, boundlessTlbManifest.id);
        const from = lab.facts.length;
        lab.do(0, kernelFlush(lab, { cpu: 0, args: [] }, 0xf0800, 0xf0810));
        expect(lab.view(ipisKey).open).toEqual([]);
        const told = lab.factsOf<VocabularyFactOf<'TlbInvalidated'>>('TlbInvalidated', from);
        const took = told.filter(({ fact: { scope, startVpn, endVpn } }) => {
          const inRange = startVpn <= 0xf0800 && endVpn >= 0xf0810;
          return scope === 'all' || (inRange && ['va', 'va-all-asids'].includes(scope));
        });
        expect([...new Set(took.map(({ fact }) => fact.cpu))].sort()).toEqual(
          Array.from({ length: count }, (_, cpu) => cpu),
        );
      },
    );
  });
}

function* kernelFlush(lab: Lab, context: ProgramContext, startVpn: number, endVpn: number): Routine {
  yield* present(lab.slots.shootdown.flushTlbKernelRange?.(context, startVpn, endVpn), 'flushTlbKernelRange');
}

interface Visit {
  readonly cpu: number;
  readonly mm: number;
  readonly pages: readonly number[];
}
const past = (cpus: number): fc.Arbitrary<Visit[]> =>
  fc.array(
    fc.record({
      cpu: fc.nat(cpus - 1),
      mm: fc.constantFrom(1, 1, 2),
      pages: fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 }),
    }),
    { minLength: 1, maxLength: 8 },
  );

interface Flush {
  readonly by: number;
  readonly whole: boolean;
  readonly from: number;
  readonly pages: number;
  /** Another CPU flushes the other address space at the same time. */
  readonly rival: boolean;
}
const flush = (cpus: number): fc.Arbitrary<Flush> =>
  fc.record({
    by: fc.nat(cpus - 1),
    whole: fc.boolean(),
    from: fc.nat(4),
    pages: fc.integer({ min: 1, max: 6 }),
    rival: fc.boolean(),
  });

const draws = fc.array(fc.nat(1000), { minLength: 8, maxLength: 40 });
function pickFrom(picks: readonly number[]): (alternatives: number) => number {
  let next = 0;
  return (alternatives) => (picks[next++ % picks.length] as number) % alternatives;
}

function visit(lab: Lab, { cpu, mm, pages }: Visit): void {
  lab.switchTo(cpu, mm);
  for (const page of pages) lab.access(cpu, PAGES[page] as number, page % 2 === 0);
}

const rangeOf = ({ whole, from, pages }: Flush): readonly number[] =>
  whole ? PAGES : PAGES.slice(from, Math.min(PAGES.length, from + pages));

/** The entries go first; the flush is for what TLBs remember of them. */
function clear(lab: Lab, order: Flush): void {
  for (const va of rangeOf(order))
    lab.do(order.by, lab.slots['page-table'].clearPte({ cpu: order.by, args: [] }, 1, va));
}

function flushes(lab: Lab, order: Flush, cpus: number): Parameters<Lab['race']>[0] {
  const { shootdown } = lab.slots;
  const { by, whole, from, pages, rival } = order;
  const context = { cpu: by, args: [] };
  const routine = whole
    ? shootdown.flushTlbMm(context, 1)
    : shootdown.flushTlbRange(context, 1, FIRST + from, FIRST + from + pages);
  const other = (by + 1) % cpus;
  if (!rival || other === by) return [{ cpu: by, routine }];
  return [
    { cpu: by, routine },
    { cpu: other, routine: shootdown.flushTlbMm({ cpu: other, args: [] }, 2) },
  ];
}

/** What CPUs that switch to the address space, as they ordinarily do, can still reach of the range. */
function reachable(lab: Lab, order: Flush): string[] {
  const reached: string[] = [];
  for (let cpu = 0; cpu < lab.cpus; cpu++) {
    lab.switchTo(cpu, 1);
    for (const va of rangeOf(order)) {
      const { trap, fault } = lab.touch(cpu, va);
      if (trap !== TrapKind.fault || fault !== FaultKind.translation)
        reached.push(`CPU ${cpu}: page ${va / 4096}`);
    }
  }
  return reached;
}
