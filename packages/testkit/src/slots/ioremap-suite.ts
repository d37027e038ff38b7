import { assert } from '@tablewalk/base';
import { ipisKey, locksKey } from '@tablewalk/contracts';
import type { Manifest, ProgramContext, Routine, VocabularyFactOf } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lab } from '../lab.ts';
import { hold } from '../property.ts';
import { inSlot } from '../small-machine.ts';
import type { Knobs } from '../small-machine.ts';

export interface IoremapSupport {
  readonly knobs?: readonly Knobs[];
  readonly cpus?: readonly number[];
  /**
   * False for what is known to be wrong on SMP: a CPU that runs on must then be found on an old device.
   * Default true.
   */
  readonly reachesRunningCpus?: boolean;
}

const MIB = 2 ** 20;
/** Sizes and places that pages and sections differ on; the same address space in pieces. */
const DEVICES: readonly { readonly pa: number; readonly bytes: number }[] = [
  { pa: 0x4000_0000, bytes: 2 * MIB },
  { pa: 0x4040_0000, bytes: 2 * MIB },
  { pa: 0x4080_0000, bytes: 4 * MIB },
  { pa: 0x4100_1000, bytes: 4096 },
  { pa: 0x4100_2200, bytes: 8192 },
];
const MMS = [1, 2];

/** spec/ioremap.md, V1 and V5; G1 of spec/page-tables.md: an address leads to its device, and to no other. */
export function ioremapSuite(
  manifest: Manifest,
  { knobs = [{}], cpus = [1, 2], reachesRunningCpus = true }: IoremapSupport = {},
): void {
  const machines = cpus.flatMap((count) => knobs.map((knob) => ({ count, knob })));

  describe.each(machines)(`slot ioremap: ${manifest.id} on $count CPUs %j`, ({ count, knob }) => {
    const newBench = (ram = '2MiB'): Bench => new Bench(manifest, knob, count, ram);

    it('leads every CPU in every address space to the device, by a fault where its tables lack it', () => {
      const bench = newBench();
      for (const device of DEVICES) bench.map(0, device);
      for (let cpu = 0; cpu < count; cpu++)
        for (const mm of [1, 2, 1]) {
          bench.lab.switchTo(cpu, mm);
          expect(bench.astray(cpu)).toEqual([]);
        }
    });

    it('hands out no range twice, nor a page too few; a range that was unmapped is used again', () => {
      const bench = newBench();
      const first = DEVICES.map((device) => bench.map(0, device));
      const pages = bench.live.flatMap(({ va, bytes }) =>
        Array.from({ length: Math.ceil(bytes / 4096) }, (_, page) => Math.floor(va / 4096) + page),
      );
      expect(new Set(pages).size).toBe(pages.length);
      for (const va of first) bench.unmap(0, va);
      expect(DEVICES.map((device) => bench.map(0, device))).toEqual(first);
    });

    it('answers undefined when vmalloc space is full, and can go on', () => {
      const { lab } = newBench();
      const large = { pa: 0x6000_0000, bytes: 512 * MIB };
      const from = lab.facts.length;
      const map = (bytes: number): number | undefined =>
        lab.do(0, lab.slots.ioremap.ioremap({ cpu: 0, args: [] }, large.pa, bytes));
      expect(map(2 ** 30)).toBeUndefined();
      expect(lab.factsOf('DeviceMapped', from)).toEqual([]);
      expect(map(4096)).toBeDefined();
    });

    it('knows nothing of addresses that nobody mapped, and has nothing to unmap there', () => {
      const { lab } = newBench();
      const context = { cpu: 0, args: [] };
      const from = lab.facts.length;
      lab.do(0, lab.slots.ioremap.iounmap(context, 0xf000_0000));
      expect(lab.do(0, lab.slots.pgd.translationFault(context, 0xf000_0000))).toBe(false);
      expect(lab.slots.ioremap.deviceAt(lab.view, 0xf000_0000)).toBeUndefined();
      expect(lab.factsOf('DeviceUnmapped', from)).toEqual([]);
    });

    const title = reachesRunningCpus
      ? 'after iounmap no CPU reaches the old device, whatever the CPUs did before and meanwhile'
      : 'after iounmap a CPU that went on running reaches the old device: it is known to be wrong here';
    it(title, () => {
      let astray = 0;
      hold(
        fc.property(
          fc.array(event(count), { minLength: 1, maxLength: 24, size: 'max' }),
          draws,
          (events, picks) => {
            const bench = newBench();
            for (const each of events) {
              bench.happens(each, pickFrom(picks));
              if (each.kind !== 'unmap') continue;
              const found = Array.from({ length: count }, (_, cpu) => bench.astray(cpu)).flat();
              if (reachesRunningCpus) expect(found).toEqual([]);
              astray += found.length;
            }
          },
        ),
        20,
      );
      if (!reachesRunningCpus) expect(astray).toBeGreaterThan(0);
    });
  });
}

type Device = (typeof DEVICES)[number];
interface Live extends Device {
  readonly va: number;
}

/** A machine of the plugin, beside a list of what should be mapped. The TLB is the architectural one. */
class Bench {
  readonly lab: Lab;
  readonly live: Live[] = [];
  /** Addresses that were mapped once. */
  private readonly known = new Set<number>();

  constructor(manifest: Manifest, knobs: Knobs, cpus: number, ram: string) {
    const machine = { cpus, ram, ...inSlot(manifest, knobs) };
    this.lab = new Lab(machine, { speculativeWalks: [], evictions: [] });
    for (const mm of MMS) this.lab.process(mm);
    for (let cpu = 0; cpu < cpus; cpu++) this.lab.switchTo(cpu, 1 + (cpu % MMS.length));
  }

  map(cpu: number, device: Device): number {
    const { lab } = this;
    const from = lab.facts.length;
    const va = lab.do(cpu, lab.slots.ioremap.ioremap({ cpu, args: [] }, device.pa, device.bytes));
    assert(va !== undefined, 'no room');
    expect(lab.factsOf<VocabularyFactOf<'DeviceMapped'>>('DeviceMapped', from)).toHaveLength(1);
    this.live.push({ ...device, va });
    for (const at of inside({ ...device, va })) this.known.add(at);
    return va;
  }

  unmap(cpu: number, va: number): void {
    this.lab.do(cpu, this.unmapping(cpu, va));
    this.forget(va);
  }

  /** Addresses of present and past mappings that do not lead this CPU where they should. */
  astray(cpu: number): string[] {
    const { lab } = this;
    expect(lab.view(ipisKey).open, 'an IPI that nobody acknowledged').toEqual([]);
    expect(lab.view(locksKey)).toEqual({});
    return [...this.known].flatMap((va) => {
      const mapping = this.live.find((each) => va >= floor(each.va) && va < ceil(each.va + each.bytes));
      const should = mapping === undefined ? undefined : mapping.pa + (va - mapping.va);
      expect(lab.slots.ioremap.deviceAt(lab.view, va)).toBe(should);
      const reached = lab.do(cpu, driverAccess(lab, { cpu, args: [] }, va));
      return reached === should ? [] : [`CPU ${cpu} at ${va}: ${reached} in place of ${should}`];
    });
  }

  happens(what: Event, pick: (alternatives: number) => number): void {
    const { cpu, device, mm } = what;
    const mapped = this.live[device % Math.max(1, this.live.length)];
    if (what.kind === 'switch') this.lab.switchTo(cpu, mm);
    else if (what.kind === 'map') this.map(cpu, DEVICES[device] as Device);
    else if (mapped === undefined) return;
    else if (what.kind === 'access') this.lab.do(cpu, driverAccess(this.lab, { cpu, args: [] }, mapped.va));
    else {
      const others = Array.from({ length: this.lab.cpus }, (_, other) => other).filter(
        (other) => other !== cpu,
      );
      this.lab.race(
        [
          { cpu, routine: this.unmapping(cpu, mapped.va) },
          ...others.map((other) => ({ cpu: other, routine: this.meanwhile(other, mapped.va, mm) })),
        ],
        pick,
      );
      this.forget(mapped.va);
    }
  }

  /** What the other CPUs do while a mapping goes: use it for the last time, switch. */
  private *meanwhile(cpu: number, va: number, mm: number): Routine {
    const context = { cpu, args: [] };
    yield* driverAccess(this.lab, context, va);
    if (mm !== 0) yield* this.lab.slots.asid.switchMm(context, mm);
  }

  private unmapping(cpu: number, va: number): Routine {
    return this.lab.slots.ioremap.iounmap({ cpu, args: [] }, va);
  }

  private forget(va: number): void {
    this.live.splice(
      this.live.findIndex((each) => each.va === va),
      1,
    );
  }
}

// What is mapped is whole pages.
const floor = (va: number): number => va - (va % 4096);
const ceil = (va: number): number => floor(va + 4095);

/** First and last byte, and the first of each half that a first-level entry has. */
const inside = ({ va, bytes }: Live): number[] =>
  [0, MIB, 2 * MIB, bytes - 1].filter((offset) => offset < bytes).map((offset) => va + offset);

/** A driver's store, with do_translation_fault behind it: the physical address, or nothing after an oops. */
function* driverAccess(lab: Lab, context: ProgramContext, va: number): Routine<number | undefined> {
  for (;;) {
    const outcome = yield* lab.model.access(context, va, true);
    if (outcome.kind === 'done') return outcome.pa;
    if (outcome.level !== 1) return undefined;
    if (!(yield* lab.slots.pgd.translationFault(context, va))) return undefined;
  }
}

interface Event {
  readonly kind: 'map' | 'unmap' | 'switch' | 'access';
  readonly cpu: number;
  readonly device: number;
  readonly mm: number;
}
const event = (cpus: number): fc.Arbitrary<Event> =>
  fc.record({
    kind: fc.constantFrom('map', 'map', 'unmap', 'unmap', 'switch', 'access', 'access'),
    cpu: fc.nat(cpus - 1),
    device: fc.nat(DEVICES.length - 1),
    mm: fc.constantFrom(0, ...MMS),
  });

const draws = fc.array(fc.nat(1000), { minLength: 8, maxLength: 40 });
function pickFrom(picks: readonly number[]): (alternatives: number) => number {
  let next = 0;
  return (alternatives) => (picks[next++ % picks.length] as number) % alternatives;
}
