import { FaultKind, memoryKey, PageFlag, walkResult, wordAt } from '@tablewalk/contracts';
import type { Fact, Manifest, PteView, Walker, WalkResult } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import { inSlot } from '../small-machine.ts';
import type { Knobs } from '../small-machine.ts';

export interface PageTableSupport {
  readonly knobs?: readonly Knobs[];
  /** False for a format that maps everything for ever: only the walker is looked at. Default true. */
  readonly maps?: boolean;
}

const MMS = [1, 2];

/** A format against a dictionary: software lookup, list of pages and hardware walk must say the same. */
export function pageTableSuite(
  manifest: Manifest,
  { knobs = [{}], maps = true }: PageTableSupport = {},
): void {
  describe.each(knobs)(`slot page-table: ${manifest.id} %j`, (knob) => {
    const newLab = (): Lab => new Lab({ cpus: 1, ram: '1MiB', ...inSlot(manifest, knob) });
    const context = { cpu: 0, args: [] };

    if (!maps) {
      it('translates every address of its width', () => {
        const { slots, parts } = newLab();
        const walker = slots['page-table'].walker(parts.memory);
        hold(
          fc.property(fc.maxSafeNat(), (address) => {
            const result = walk(walker, 0, address % slots['page-table'].taskSize);
            expect(result.fault).toBe(FaultKind.none);
            expect(result.status).toBe(0);
          }),
        );
      });
      return;
    }

    it('agrees with a dictionary after every change, in software and in hardware', () => {
      hold(
        fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
          const lab = newLab();
          const table = lab.slots['page-table'];
          for (const mm of MMS) expect(lab.do(0, lab.slots.pgd.allocate(context, mm))).toBe(true);
          expect(table.ttbr(lab.view, 1)).not.toBe(table.ttbr(lab.view, 2));
          const dictionary = new Map<string, PteView>();
          for (const each of changes) {
            apply(lab, dictionary, each);
            compare(lab, dictionary);
          }
        }),
        40,
      );
    });

    it('gives every table page back when an address space is freed, whatever was mapped in it', () => {
      const lab = newLab();
      const table = lab.slots['page-table'];
      const liveAfter = (mm: number, pages: readonly number[]): number => {
        lab.do(0, lab.slots.pgd.allocate(context, mm));
        for (const va of pages) apply(lab, new Map(), { kind: 'map', mm, page: va, pte: YOUNG });
        for (const va of addresses(table.taskSize)) lab.do(0, table.clearPte(context, mm, va));
        const { frames, pgd } = lab.slots;
        for (const pfn of lab.do(0, pgd.freePgtables(context, mm))) lab.do(0, frames.free(pfn));
        lab.do(0, pgd.free(context, mm));
        return tablePagesInUse(lab);
      };
      const once = liveAfter(1, [0, 1, 2]);
      expect(liveAfter(2, [3, 4, 5, 6])).toBe(once);
      expect(liveAfter(3, [])).toBe(once);
    });

    it('answers false, and keeps no page, when there is no memory for a table', () => {
      const lab = newLab();
      const table = lab.slots['page-table'];
      lab.do(0, lab.slots.pgd.allocate(context, 1));
      while (lab.do(0, lab.slots.frames.allocate('kernel', 0)) !== undefined);
      const before = tablePagesInUse(lab);
      const [va] = addresses(table.taskSize);
      expect(lab.do(0, table.populate(context, 1, va as number))).toBe(false);
      expect(tablePagesInUse(lab)).toBe(before);
      expect(table.lookup(lab.view, 1, va as number)).toBeUndefined();
    });
  });
}

/** The same page of two address spaces, neighbours, and both sides of every boundary that formats have. */
const addresses = (taskSize: number): readonly number[] => [
  0x8000,
  0x9000,
  0xf_f000,
  0x10_0000,
  0x1f_f000,
  0x20_0000,
  0x4000_0000,
  taskSize - 4096,
];

interface Change {
  readonly kind: 'map' | 'unmap' | 'age';
  readonly mm: number;
  /** Index into `addresses`. */
  readonly page: number;
  readonly pte: PteView;
}
const pte: fc.Arbitrary<PteView> = fc
  .record({
    pfn: fc.nat(7).map((i) => 0x80010 + i),
    young: fc.boolean(),
    dirty: fc.boolean(),
    write: fc.boolean(),
  })
  // A page that may not be written cannot have become dirty through this entry.
  .map((each) => ({ ...each, dirty: each.dirty && each.write }));
const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('map', 'map', 'unmap', 'age'),
  mm: fc.constantFrom(...MMS),
  page: fc.nat(7),
  pte,
});
const YOUNG: PteView = { pfn: 0x80010, young: true, dirty: true, write: true };

function apply(lab: Lab, dictionary: Map<string, PteView>, { kind, mm, page, pte: entry }: Change): void {
  const table = lab.slots['page-table'];
  const context = { cpu: 0, args: [] };
  const va = addresses(table.taskSize)[page] as number;
  const key = `${mm}:${va}`;
  const known = dictionary.get(key);
  if (kind === 'map') {
    if (!table.hasTable(lab.view, mm, va)) expect(lab.do(0, table.populate(context, mm, va))).toBe(true);
    expect(table.hasTable(lab.view, mm, va)).toBe(true);
    lab.do(0, table.setPte(context, mm, va, entry));
    dictionary.set(key, entry);
  } else if (kind === 'unmap') {
    expect(lab.do(0, table.clearPte(context, mm, va))).toEqual(known);
    dictionary.delete(key);
  } else {
    expect(lab.do(0, table.clearYoung(context, mm, va))).toBe(known?.young ?? false);
    if (known !== undefined) dictionary.set(key, { ...known, young: false });
  }
}

function compare(lab: Lab, dictionary: ReadonlyMap<string, PteView>): void {
  const table = lab.slots['page-table'];
  const { view } = lab;
  const inArena = table.walker(lab.parts.memory);
  const inSlice = table.walker({ read32: (pa) => wordAt(view(memoryKey), pa) });
  for (const mm of MMS) {
    const all = addresses(table.taskSize);
    expect(table.mappedPages(view, mm)).toEqual(all.filter((va) => dictionary.has(`${mm}:${va}`)));
    for (const va of all) {
      const entry = dictionary.get(`${mm}:${va}`);
      expect(table.lookup(view, mm, va)).toEqual(entry);
      const result = walk(inArena, table.ttbr(view, mm), va + 0x123);
      expect(result).toEqual(walk(inSlice, table.ttbr(view, mm), va + 0x123));
      expect(seen(result, va)).toEqual(hardwareSees(entry));
    }
  }
}

const walk = (walker: Walker, ttbr: number, va: number): WalkResult => {
  const result = walkResult();
  walker.walk(ttbr, va % 2 ** 32, Math.floor(va / 2 ** 32), result);
  expect(result.reads).toBeLessThanOrEqual(result.readPa.length);
  return result;
};

interface Sight {
  readonly pfn: number;
  readonly write: boolean;
  readonly user: boolean;
  readonly execute: boolean;
}

/** What a walk found for one page. */
function seen({ fault, pfn, pageShift, flags }: WalkResult, va: number): Sight | undefined {
  if (fault !== FaultKind.none) return undefined;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const within = Math.floor(va / 4096) % 2 ** (pageShift - 12);
  return {
    pfn: pfn + within,
    write: has(PageFlag.write),
    user: has(PageFlag.user),
    execute: has(PageFlag.execute),
  };
}

/** spec/page-tables.md, 1.7: an old page faults; a clean one is read-only, so that the first store tells. */
const hardwareSees = (entry: PteView | undefined): Sight | undefined =>
  entry === undefined || !entry.young
    ? undefined
    : { pfn: entry.pfn, write: entry.write && entry.dirty, user: true, execute: true };

type Allocated = Fact & { type: 'PageAllocated'; pfn: number; order: number; use: string };
type Freed = Fact & { type: 'PageFreed'; pfn: number; order: number };

function tablePagesInUse(lab: Lab): number {
  const inUse = new Map<number, number>();
  for (const { fact } of lab.facts) {
    if (fact.type === 'PageAllocated') {
      const { pfn, order, use } = fact as Allocated;
      if (use === 'page-table') inUse.set(pfn, 2 ** order);
    } else if (fact.type === 'PageFreed') inUse.delete((fact as Freed).pfn);
  }
  return [...inUse.values()].reduce((sum, pages) => sum + pages, 0);
}
