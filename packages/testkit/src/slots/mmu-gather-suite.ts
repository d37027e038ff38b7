import { FaultKind, locksKey, TrapKind } from '@tablewalk/contracts';
import type { Fact, Manifest, MmuGather, Routine } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import type { Knobs } from '../small-machine.ts';
import { besideBoundlessTlb } from './neighbours.ts';

export interface MmuGatherSupport {
  readonly knobs?: readonly Knobs[];
  /**
   * True for a policy that is known to give pages back while a CPU can still reach them, and is kept to be
   * seen failing. Then the suite demands that it does.
   */
  readonly freesTooEarly?: boolean;
}

const PAGES = Array.from({ length: 12 }, (_, i) => 0x8000 + i * 4096);

type Freed = Fact & { type: 'PageFreed'; pfn: number };
type Gathered = Fact & { type: 'GatherStarted'; mm: number; fullmm: boolean };

/** spec/mmu-gather.md, 1: unhook the entry, invalidate every cached copy of the translation, free the page. */
export function mmuGatherSuite(
  manifest: Manifest,
  { knobs = [{}], freesTooEarly = false }: MmuGatherSupport = {},
): void {
  describe.each(knobs)(`slot mmu-gather: ${manifest.id} %j`, (knob) => {
    const newLab = (mapped: readonly number[]): Lab => {
      const lab = new Lab({ ...besideBoundlessTlb(manifest, knob), cpus: 2, ram: '512KiB' });
      lab.process(1);
      for (const cpu of [0, 1]) {
        lab.switchTo(cpu, 1);
        for (const page of mapped) lab.access(cpu, PAGES[page] as number, true);
      }
      return lab;
    };

    it('unmaps what is mapped, frees each page once, and leaves no CPU a translation when it is finished', () => {
      hold(
        fc.property(job, draws, ({ mapped, zapped, fullmm }, picks) => {
          const lab = newLab(mapped);
          const frames = mapped.map(
            (page) => lab.slots['page-table'].lookup(lab.view, 1, PAGES[page] as number)?.pfn as number,
          );
          const from = lab.facts.length;
          const went = lab.race([{ cpu: 0, routine: unmap(lab, zapped, fullmm) }], pickFrom(picks))[0];
          expect(went).toEqual(zapped.map((page, i) => mapped.includes(page) && zapped.indexOf(page) === i));
          const wanted = frames.filter((_, i) => zapped.includes(mapped[i] as number));
          const freed = lab.factsOf<Freed>('PageFreed', from).map(({ fact }) => fact.pfn);
          expect([...freed].sort()).toEqual([...wanted].sort());
          const notes = lab.facts
            .slice(from)
            .filter(({ fact }) => ['GatherStarted', 'GatherFinished'].includes(fact.type));
          expect(notes.map(({ fact }) => fact.type)).toEqual(['GatherStarted', 'GatherFinished']);
          expect((notes[0]?.fact as Gathered).fullmm).toBe(fullmm);
          expect(lab.view(locksKey)).toEqual({});
          for (const cpu of [0, 1])
            for (const page of new Set(zapped)) {
              const { trap, fault } = lab.touch(cpu, PAGES[page] as number);
              expect([trap, fault], `CPU ${cpu}, page ${page}`).toEqual([
                TrapKind.fault,
                FaultKind.translation,
              ]);
            }
        }),
        40,
      );
    });

    it(
      freesTooEarly
        ? 'frees pages that a CPU can still reach, as it is known to'
        : 'frees no page that a CPU can still reach',
      () => {
        let reached = 0;
        hold(
          fc.property(job, draws, ({ mapped, zapped, fullmm }, picks) => {
            const lab = newLab(mapped);
            const pick = pickFrom(picks);
            // Before every step of the gather the other CPU, in user mode, reads one of the pages.
            lab.race([{ cpu: 0, routine: unmap(lab, zapped, fullmm) }], (alternatives) => {
              if (lab.idle(1)) reached += reachesForeign(lab, PAGES[pick(PAGES.length)] as number);
              return pick(alternatives);
            });
            if (!freesTooEarly) expect(reached).toBe(0);
          }),
          40,
        );
        expect(reached > 0).toBe(freesTooEarly);
      },
    );
  });
}

const job = fc.record({
  mapped: fc.subarray(
    PAGES.map((_, i) => i),
    { minLength: 1 },
  ),
  zapped: fc.array(fc.nat(PAGES.length - 1), { minLength: 1, maxLength: 14 }),
  fullmm: fc.boolean(),
});
const draws = fc.array(fc.nat(1000), { minLength: 8, maxLength: 60 });
function pickFrom(picks: readonly number[]): (alternatives: number) => number {
  let next = 0;
  return (alternatives) => (picks[next++ % picks.length] as number) % alternatives;
}

function* unmap(lab: Lab, pages: readonly number[], fullmm: boolean): Routine<boolean[]> {
  const gather = lab.slots['mmu-gather'];
  const context = { cpu: 0, args: [] };
  const tlb: MmuGather = yield* gather.begin(context, 1, fullmm);
  const went: boolean[] = [];
  for (const page of pages) went.push(yield* gather.zapPage(context, tlb, PAGES[page] as number));
  yield* gather.finish(context, tlb);
  return went;
}

/** 1 when CPU 1 gets through to a frame that is not its process's page any more. */
function reachesForeign(lab: Lab, va: number): number {
  const pa = lab.physical(1, va);
  if (typeof pa !== 'number') return 0;
  const owner = lab.slots.frames.userPage(lab.view, Math.floor(pa / 4096));
  return owner?.mm === 1 && owner.va === va ? 0 : 1;
}
