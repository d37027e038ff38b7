import { present } from '@tablewalk/base';
import { FaultKind, memoryKey, PageFlag, walkResult, wordAt } from '@tablewalk/contracts';
import type { Fact, Manifest, Routine, VocabularyFactOf } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import { machineAround } from '../small-machine.ts';
import type { Knobs, SmallMachine } from '../small-machine.ts';

export interface PgdSupport {
  readonly knobs?: readonly Knobs[];
  /** Knobs of the format that the policy shall stand on. */
  readonly formats?: readonly Knobs[];
  /** False for a policy without tables: then it is only seen to do nothing. Default true. */
  readonly tables?: boolean;
  /** True for what is known to lose pages of tables: a leak must then be found. Default false. */
  readonly leaks?: boolean;
}

const MIB = 2 ** 20;
const DEVICE = 0x4800_0000;
const context = { cpu: 0, args: [] };

/** spec/page-tables.md, G1, G3, 3.1 to 3.3, and L4 of 5.8. What a policy does is seen by walks and by pages in use. */
export function pgdSuite(
  manifest: Manifest,
  { knobs = [{}], formats = [{}], tables = true, leaks = false }: PgdSupport = {},
): void {
  const machines = formats.flatMap((format) => knobs.map((knob) => ({ format, knob })));

  describe.each(machines)(`slot pgd: ${manifest.id} %j`, ({ format, knob }) => {
    const newLab = (ram = '2MiB'): Lab => new Lab({ ...around(manifest, knob, format), cpus: 2, ram });
    /** A lab of two processes, of which the first has tables; init_mm has, and keeps, its own. */
    const begun = (ram?: string): Lab => {
      const lab = newLab(ram);
      for (const mm of [1, 2]) lab.note({ type: 'ProcessCreated', mm, name: `process ${mm}` } as Fact);
      expect(lab.do(0, lab.slots.pgd.allocate(context, 1))).toBe(true);
      return lab;
    };

    if (!tables) {
      nothingToKeep(newLab);
      return;
    }

    livesAndDies(begun, leaks);
    fallsShort(newLab, begun);

    it("gives an address space the kernel's entries of init_mm, or none, and no user page", () => {
      const lab = begun();
      kernelMappings(lab);
      expect(lab.do(0, lab.slots.pgd.allocate(context, 2))).toBe(true);
      for (const mm of [1, 2]) {
        expect(differing(lab, mm)).toEqual([]);
        for (const va of userAddresses(lab)) expect(walk(lab, mm, va)).toBe(FAULT);
      }
      const { lowVectors } = present(lab.slots['page-table'].pgd, 'first-level tables');
      if (lowVectors)
        for (const mm of [1, 2]) expect(walk(lab, mm, 0), 'vectors of init_mm').toEqual(walk(lab, 0, 0));
    });

    faults(begun);
  });
}

function nothingToKeep(newLab: () => Lab): void {
  it('makes, copies and frees nothing', () => {
    const lab = newLab();
    const { pgd } = lab.slots;
    expect(lab.do(0, pgd.allocate(context, 1))).toBe(true);
    expect(lab.do(0, pgd.translationFault(context, 0xc000_0000))).toBe(false);
    expect(lab.do(0, pgd.freePgtables(context, 1))).toEqual([]);
    lab.do(0, pgd.free(context, 1));
    expect(lab.facts).toEqual([]);
  });
}

function livesAndDies(begun: () => Lab, leaks: boolean): void {
  it(
    leaks ? 'loses pages of tables: it is known to be wrong here' : 'gives back every page of tables',
    () => {
      let lost = 0;
      hold(
        fc.property(fc.uniqueArray(fc.nat(5), { maxLength: 6 }), fc.boolean(), (places, kernel) => {
          const lab = begun();
          const { pgd, frames, 'page-table': table } = lab.slots;
          if (kernel) kernelMappings(lab);
          const before = pagesInUse(lab);
          expect(lab.do(0, pgd.allocate(context, 2))).toBe(true);
          for (const place of places)
            expect(lab.do(0, table.populate(context, 2, userAddresses(lab)[place] as number))).toBe(true);
          if (kernel) {
            lab.switchTo(0, 2);
            for (const va of kernelAddresses(lab)) lab.do(0, pgd.translationFault(context, va));
            lab.switchTo(0, 0);
          }
          const pages = lab.do(0, pgd.freePgtables(context, 2));
          for (const pfn of pages) lab.do(0, frames.free(pfn));
          lab.do(0, pgd.free(context, 2));
          expect(table.ttbr(lab.view, 2)).toBe(0);
          const kept = pagesInUse(lab).filter((pfn) => !before.includes(pfn));
          expect(
            before.filter((pfn) => !pagesInUse(lab).includes(pfn)),
            "another's pages",
          ).toEqual([]);
          if (!leaks) expect(kept).toEqual([]);
          lost += kept.length;
        }),
        40,
      );
      if (leaks) expect(lost).toBeGreaterThan(0);
    },
  );
}

function fallsShort(newLab: (ram?: string) => Lab, begun: (ram?: string) => Lab): void {
  /** Did the routine fail? Then it must have kept nothing. */
  const fails = (lab: Lab, routine: Routine<boolean>): boolean => {
    const before = pagesInUse(lab);
    if (lab.do(0, routine)) return false;
    expect(pagesInUse(lab)).toEqual(before);
    return true;
  };
  const failing = (lab: Lab, mm: number): boolean => {
    const { pgd } = lab.slots['page-table'];
    // What init_mm has got it keeps.
    if (pgd !== undefined && fails(lab, pgd.boot(context))) return true;
    if (!fails(lab, lab.slots.pgd.allocate(context, mm))) return false;
    expect(lab.slots['page-table'].ttbr(lab.view, mm)).toBe(0);
    return true;
  };

  it('answers false and keeps no page when there is no memory for a first level', () => {
    const lab = begun('384KiB');
    // First levels that are cut from a slab would last for long.
    while (lab.do(0, lab.slots.frames.allocate('kernel', 0)) !== undefined);
    let mm = 2;
    while (mm < 200 && !failing(lab, mm)) mm += 1;
    expect(mm).toBeLessThan(200);
    const pages = lab.do(0, lab.slots.pgd.freePgtables(context, 1));
    for (const pfn of pages) lab.do(0, lab.slots.frames.free(pfn));
    lab.do(0, lab.slots.pgd.free(context, 1));
    expect(failing(lab, mm), 'what was freed is used again').toBe(false);
  });

  it('nor when a page of what lies behind it is missing, whichever; with memory it succeeds', () => {
    for (const first of [true, false]) {
      const lab = first ? newLab() : begun();
      const taken: number[] = [];
      for (;;) {
        const pfn = lab.do(0, lab.slots.frames.allocate('kernel', 0));
        if (pfn === undefined) break;
        taken.push(pfn);
      }
      const missing = taken.findIndex((pfn) => {
        if (!failing(lab, 7)) return true;
        lab.do(0, lab.slots.frames.free(pfn));
        return false;
      });
      expect(missing).toBeGreaterThanOrEqual(0);
      expect(missing).toBeLessThan(8);
      expect(differing(lab, 7)).toEqual([]);
    }
  });
}

function faults(begun: () => Lab): void {
  it('a fault brings what init_mm has; again, it changes nothing', () => {
    const lab = begun();
    lab.do(0, lab.slots.pgd.allocate(context, 2));
    kernelMappings(lab);
    lab.switchTo(0, 1);
    for (const va of kernelAddresses(lab)) {
      expect(walk(lab, 0, va)).not.toBe(FAULT);
      expect(lab.do(0, lab.slots.pgd.translationFault(context, va))).toBe(true);
      expect(walk(lab, 1, va)).toEqual(walk(lab, 0, va));
      const from = lab.facts.length;
      expect(lab.do(0, lab.slots.pgd.translationFault(context, va)), 'another was faster').toBe(true);
      expect(stores(lab, from)).toBe(0);
    }
    expect(differing(lab, 1)).toEqual([]);
    expect(differing(lab, 2)).toEqual([]);
  });

  it('two CPUs that fault at once in one address space both go on', () => {
    hold(
      fc.property(fc.array(fc.nat(1), { minLength: 8, maxLength: 24 }), (picks) => {
        const lab = begun();
        kernelMappings(lab);
        for (const cpu of [0, 1]) lab.switchTo(cpu, 1);
        for (const va of kernelAddresses(lab)) {
          let next = 0;
          const jobs = [0, 1].map((cpu) => ({
            cpu,
            routine: lab.slots.pgd.translationFault({ cpu, args: [] }, va),
          }));
          const pick = (alternatives: number): number =>
            (picks[next++ % picks.length] as number) % alternatives;
          expect(lab.race(jobs, pick)).toEqual([true, true]);
          expect(walk(lab, 1, va)).toEqual(walk(lab, 0, va));
        }
      }),
      20,
    );
  });

  it('answers false, and stores nothing, where init_mm has nothing, and on a CPU without tables', () => {
    const lab = begun();
    const [va] = kernelAddresses(lab) as [number];
    lab.switchTo(0, 1);
    const from = lab.facts.length;
    expect(lab.do(0, lab.slots.pgd.translationFault(context, va))).toBe(false);
    expect(stores(lab, from)).toBe(0);
    kernelMappings(lab);
    expect(lab.do(1, lab.slots.pgd.translationFault({ cpu: 1, args: [] }, va))).toBe(false);
  });
}

function around(manifest: Manifest, knob: Knobs, format: Knobs): SmallMachine {
  const { slots = {} } = machineAround(manifest);
  const stated = slots['page-table'] ?? 'preset';
  const named = typeof stated === 'string' ? { use: stated } : stated;
  return {
    slots: { ...slots, 'page-table': { ...named, ...format }, pgd: { use: manifest.id, ...knob } },
    known: [manifest],
  };
}

/** Of a table each, where formats differ: in the first entry, on both sides of a GiB, the last below TASK_SIZE. */
function userAddresses(lab: Lab): readonly number[] {
  const { taskSize } = lab.slots['page-table'];
  return [0x8000, 0x20_0000, 0x3fff_f000, 0x4000_0000, 0x7000_0000, taskSize - 4096];
}

/** In each half of a pair, at the first address of modules and of vmalloc space. */
function kernelAddresses(lab: Lab): readonly number[] {
  const { kernel, pgd } = lab.slots['page-table'];
  const { vmallocStart } = present(kernel, 'kernel tables of the format');
  const { modulesStart } = present(pgd, 'first-level tables of the format');
  return [modulesStart, vmallocStart].flatMap((va) => [va, va + MIB]);
}

function kernelMappings(lab: Lab): void {
  const kernel = present(lab.slots['page-table'].kernel, 'kernel tables of the format');
  kernelAddresses(lab)
    .filter((_, i) => i % 2 === 0)
    .forEach((va, i) => lab.do(0, kernel.setSections(context, va, DEVICE + i * 2 * MIB)));
}

const FAULT = 'fault';
/** Where a walk leads, as a walker of the kernel sees it; what it may do there. */
function walk(lab: Lab, mm: number, va: number): string | readonly [pfn: number, flags: number] {
  const table = lab.slots['page-table'];
  const result = walkResult();
  const walker = table.walker({ read32: (pa) => wordAt(lab.view(memoryKey), pa) });
  walker.walk(table.ttbr(lab.view, mm), va, 0, result);
  const { fault, pfn, flags } = result;
  return fault === FaultKind.none ? [pfn, flags & (PageFlag.write | PageFlag.user | PageFlag.global)] : FAULT;
}

/** Kernel addresses at which an mm has what init_mm has not: each MiB is looked at. */
function differing(lab: Lab, mm: number): number[] {
  const wrong: number[] = [];
  for (let va = lab.slots['page-table'].taskSize; va < 2 ** 32; va += MIB) {
    const own = walk(lab, mm, va);
    if (own !== FAULT && String(own) !== String(walk(lab, 0, va))) wrong.push(va);
  }
  return wrong;
}

const stores = (lab: Lab, from: number): number =>
  ['WordStored', 'WordsCopied', 'WordsFilled'].reduce((sum, type) => sum + lab.factsOf(type, from).length, 0);

/** First pages of what is allocated, ascending. */
function pagesInUse(lab: Lab): number[] {
  const inUse = new Set<number>();
  for (const { fact } of lab.facts) {
    const { type, pfn } = fact as VocabularyFactOf<'PageAllocated' | 'PageFreed'>;
    if (type === 'PageAllocated') inUse.add(pfn);
    else if (type === 'PageFreed') expect(inUse.delete(pfn), `page ${pfn} is freed twice`).toBe(true);
  }
  return [...inUse].sort((a, b) => a - b);
}
