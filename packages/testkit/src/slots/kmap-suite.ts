import { cpusKey, locksKey, read, readMaybe } from '@tablewalk/contracts';
import type { Manifest, ProgramContext, Routine, VocabularyFactOf } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import type { Knobs } from '../small-machine.ts';

export interface KmapSupport {
  /** Room for two pages of each of two CPUs, and not much more, so that addresses are used again. */
  readonly knobs?: readonly Knobs[];
  /** `slow`: kmap, one address for all, kept after kunmap. `atomic`: by CPU and km_type, gone at unmap. */
  readonly kind: 'slow' | 'atomic';
  /** Does a page keep its address between highGet and highPut, whatever else is mapped? Of `slow` ones. */
  readonly pins?: boolean;
}

const PFNS = Array.from({ length: 40 }, (_, i) => 0x90000 + 3 * i);
type SlotFact = VocabularyFactOf<'KmapSlotMapped' | 'KmapSlotUnmapped'>;
type Maintained = VocabularyFactOf<'CacheMaintained'>;
type Invalidated = VocabularyFactOf<'TlbInvalidated'>;

/** spec/kmap.md, 2.4: users of a page keep it under its address, and no TLB or cache remembers an older one. */
export function kmapSuite(manifest: Manifest, { knobs = [{}], kind, pins = false }: KmapSupport): void {
  describe.each(knobs)(`slot kmap: ${manifest.id} %j`, (knob) => {
    const newLab = (cpus: number): Lab =>
      new Lab({
        cpus,
        known: [manifest],
        slots: {
          kmap: { use: manifest.id, ...knob },
          cache: cpus === 1 ? 'cache-vivt' : 'cache-pipt',
          // An IPI to whoever spins with IRQs off would be waited for in vain.
          shootdown: 'shootdown-tlbi-broadcast',
        },
      });

    it('a page is reached through its address from map to unmap, and no slot is left without its user', () => {
      hold(
        fc.property(visits, visits, draws, (first, second, picks) => {
          const lab = newLab(2);
          const jobs = [first, second].map((own, cpu) => ({ cpu, routine: visitAll(lab, cpu, own) }));
          lab.race(jobs, pickFrom(picks));
          expect(lab.view(locksKey)).toEqual({});
          for (const { irqsOff } of lab.view(cpusKey)) expect(irqsOff).toBe(0);
        }),
        60,
      );
    });

    it('says with facts what is mapped where', () => {
      const lab = newLab(1);
      for (const [i, pfn] of PFNS.entries()) {
        const va = lab.do(0, lab.slots.kmap.map(CPU0, pfn, i % 2));
        expect(lab.slots.kmap.pageAddress(lab.view, pfn)).toBe(kind === 'slow' ? va : undefined);
        const told = mappedBy(lab);
        expect(told.get(va)).toBe(pfn);
        for (const [at, page] of told) expect(lab.slots.kmap.pfnAt(lab.view, at)).toBe(page);
        expect(new Set(told.values()).size, 'pages that have an address').toBe(told.size);
        lab.do(0, lab.slots.kmap.unmap(CPU0, va, pfn, i % 2));
        if (kind === 'slow') expect(lab.slots.kmap.pfnAt(lab.view, va), 'after kunmap').toBe(pfn);
      }
    });

    it('cleans a virtually tagged cache before a mapping goes, flushes TLBs before its address is used again', () => {
      for (const cpus of [1, 2]) {
        const lab = newLab(cpus);
        const addresses = new Set<number>();
        for (const pfn of PFNS) {
          const va = lab.do(0, lab.slots.kmap.map(CPU0, pfn, 0));
          if (addresses.has(va)) flushedSinceUnmapped(lab, va, kind === 'slow' ? cpus : 1);
          addresses.add(va);
          lab.do(0, lab.slots.kmap.unmap(CPU0, va, pfn, 0));
        }
        expect(addresses.size, 'addresses used again').toBeLessThan(PFNS.length);
        if (cpus === 1) cleanedBeforeUnmapped(lab);
      }
    });

    it('gives DMA nothing of a page that has no address', () => {
      const lab = newLab(2);
      expect(lab.do(1, lab.slots.kmap.highGet({ cpu: 1, args: [] }, PFNS[0] as number))).toBeUndefined();
      expect(lab.view(locksKey)).toEqual({});
    });

    if (kind === 'slow')
      it(
        pins
          ? 'a page keeps its address between highGet and highPut, and loses it afterwards like any other'
          : 'a page loses its address while DMA uses it, as this policy is known to let it',
        () => {
          const lab = newLab(2);
          const [pfn, ...others] = PFNS as [number, ...number[]];
          const { kmap } = lab.slots;
          const va = lab.do(0, kmap.map(CPU0, pfn, 0));
          lab.do(0, kmap.unmap(CPU0, va, pfn, 0));
          expect(lab.do(1, kmap.highGet({ cpu: 1, args: [] }, pfn))).toBe(va);
          mapInTurn(lab, others.slice(0, 20));
          expect(kmap.pfnAt(lab.view, va) === pfn).toBe(pins);
          lab.do(1, kmap.highPut({ cpu: 1, args: [] }, pfn));
          mapInTurn(lab, others.slice(20));
          expect(kmap.pageAddress(lab.view, pfn)).toBeUndefined();
          expect(lab.view(locksKey)).toEqual({});
          expect(lab.view(cpusKey)[1]?.irqsOff).toBe(0);
        },
      );
  });
}

const CPU0: ProgramContext = { cpu: 0, args: [] };
/** Pages that a CPU holds at once, the second inside the first, and gives back in the other order. */
const visits = fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 6 });
const draws = fc.array(fc.nat(1000), { minLength: 8, maxLength: 60 });
function pickFrom(picks: readonly number[]): (alternatives: number) => number {
  let next = 0;
  return (alternatives) => (picks[next++ % picks.length] as number) % alternatives;
}

function* visitAll({ slots: { kmap } }: Lab, cpu: number, own: readonly (readonly number[])[]): Routine {
  const context = { cpu, args: [] };
  for (const pages of own) {
    const held: (readonly [va: number, pfn: number, type: number])[] = [];
    for (const [type, page] of pages.entries()) {
      const pfn = PFNS[page] as number;
      held.push([yield* kmap.map(context, pfn, type), pfn, type]);
    }
    for (const [va, pfn, type] of held.reverse()) {
      yield* read(() => 0);
      expect(yield* readMaybe((view) => kmap.pfnAt(view, va)), `page at ${va}`).toBe(pfn);
      yield* kmap.unmap(context, va, pfn, type);
    }
  }
}

function mapInTurn(lab: Lab, pfns: readonly number[]): void {
  for (const pfn of pfns) {
    const va = lab.do(0, lab.slots.kmap.map(CPU0, pfn, 0));
    lab.do(0, lab.slots.kmap.unmap(CPU0, va, pfn, 0));
  }
}

/** Pages by address, folded from nothing but the facts. */
function mappedBy(lab: Lab): Map<number, number> {
  const mapped = new Map<number, number>();
  const told = [...lab.factsOf<SlotFact>('KmapSlotMapped'), ...lab.factsOf<SlotFact>('KmapSlotUnmapped')];
  for (const { fact } of told.sort((a, b) => a.seq - b.seq))
    if (fact.type === 'KmapSlotMapped') mapped.set(fact.va, fact.pfn);
    else mapped.delete(fact.va);
  return mapped;
}

function flushedSinceUnmapped(lab: Lab, va: number, cpus: number): void {
  const unmapped = lab.factsOf<SlotFact>('KmapSlotUnmapped').filter(({ fact }) => fact.va === va);
  const since = unmapped.at(-1)?.seq ?? -1;
  expect(since, `unmapped at ${va}, before it is mapped again`).toBeGreaterThan(mappedBefore(lab, va));
  const flushes = lab.factsOf<Invalidated>('TlbInvalidated', since);
  for (let cpu = 0; cpu < cpus; cpu++) {
    const covers = flushes.some(
      ({ fact }) =>
        fact.cpu === cpu &&
        fact.scope === 'va-all-asids' &&
        fact.startVpn <= va / 4096 &&
        va / 4096 < fact.endVpn,
    );
    expect(covers, `TLB of CPU ${cpu} was flushed at ${va}`).toBe(true);
  }
}

/** Where the mapping of an address before the present one is. */
const mappedBefore = (lab: Lab, va: number): number =>
  lab
    .factsOf<SlotFact>('KmapSlotMapped')
    .filter(({ fact }) => fact.va === va)
    .at(-2)?.seq ?? -1;

function cleanedBeforeUnmapped(lab: Lab): void {
  const unmapped = lab.factsOf<SlotFact>('KmapSlotUnmapped');
  expect(unmapped.length).toBeGreaterThan(0);
  for (const { seq, fact } of unmapped) {
    const mapped = lab.factsOf<SlotFact>('KmapSlotMapped').filter((each) => each.fact.va === fact.va);
    const since = mapped.filter((each) => each.seq < seq).at(-1)?.seq ?? 0;
    const cleans = lab
      .factsOf<Maintained>('CacheMaintained', since)
      .filter((each) => each.seq < seq && each.fact.operation === 'clean-invalidate')
      .filter(
        (each) => each.fact.whole || (each.fact.va <= fact.va && fact.va < each.fact.va + each.fact.bytes),
      );
    expect(cleans.length, `the cache was cleaned at ${fact.va}`).toBeGreaterThan(0);
  }
}
