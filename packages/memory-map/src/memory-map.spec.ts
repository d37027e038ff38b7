import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryMapConfig, memoryMapKnobs } from './knobs.ts';
import { memoryMap, memoryMapConflict } from './memory-map.ts';
import type { MemoryMapConfig } from './memory-map.ts';

const knobs = z.strictObject(memoryMapKnobs);
const MACHINE = { ramBase: 0x4000_0000, ramBytes: 2 ** 31, cpus: 2 };
const config = (set: object = {}, machine: object = {}): MemoryMapConfig =>
  memoryMapConfig(knobs.parse(set), { ...MACHINE, ...machine });

describe('the memory map', () => {
  it('is that of a Debian kernel of today, 3G/1G with 2 GiB of RAM', () => {
    const map = memoryMap(config());
    expect(map.regions).toEqual([
      { name: 'user space', start: 0x1000, end: 0xbf00_0000 },
      { name: 'modules', start: 0xbf00_0000, end: 0xbfe0_0000 },
      { name: 'pkmap', start: 0xbfe0_0000, end: 0xc000_0000 },
      { name: 'lowmem', start: 0xc000_0000, end: 0xf000_0000 },
      { name: 'vmalloc space', start: 0xf080_0000, end: 0xff80_0000 },
      { name: 'device tree', start: 0xff80_0000, end: 0xffc0_0000 },
      { name: 'fixmap', start: 0xffc8_0000, end: 0xfff0_0000 },
      { name: 'vectors', start: 0xffff_0000, end: 0xffff_1000 },
    ]);
    expect(memoryMapConflict(config())).toBeUndefined();
  });

  it('moves TASK_SIZE and modules with the split, and ends lowmem where RAM ends', () => {
    for (const pageOffset of [0x4000_0000, 0x8000_0000, 0xc000_0000, 0xc100_0000]) {
      const map = memoryMap(config({ pageOffset }, { ramBytes: 64 * 2 ** 20 }));
      expect(map.taskSize).toBe(pageOffset - 2 ** 24);
      expect(map.modulesStart).toBe(pageOffset - 2 ** 24);
      expect(map.highMemory).toBe(pageOffset + 64 * 2 ** 20);
      expect(map.vmallocStart).toBe(pageOffset + 72 * 2 ** 20);
    }
  });

  it.each([
    [{ pageOffset: 0x9000_0000 }, {}, 'the splits are 0x40000000, 0x80000000, 0xc0000000, 0xc1000000'],
    [{ modules: '40MiB' }, {}, 'more than a branch'],
    [{ modules: '24MiB' }, {}, 'modules space begins at 0xbe800000, below TASK_SIZE (0xbf000000)'],
    [{ vmallocReserve: '1016MiB' }, {}, 'leaves no lowmem'],
    [
      { vmallocEnd: 0xffa0_0000 },
      {},
      'vmalloc space (to 0xffa00000) and device tree (from 0xff800000) overlap',
    ],
    [{ fixmapEnd: 0xffff_0000, vectors: 'high' }, {}, undefined],
    [{ fixmapEnd: 2 ** 32 }, {}, 'fixmap (to 0x100000000) and vectors (from 0xffff0000) overlap'],
    [{ fixmapStart: 0xffb0_0000 }, {}, 'device tree (to 0xffc00000) and fixmap (from 0xffb00000) overlap'],
    // HB-11: 32 CPUs with the guard slots of DEBUG_HIGHMEM.
    [
      { kmapSlots: 33 },
      { cpus: 32 },
      '32 CPUs with 33 kmap slots each need 1056 pages, and the fixmap has 640',
    ],
    [{ kmapSlots: 33 }, { cpus: 16 }, undefined],
  ])('with %j on %j: %s', (set, machine, why) => {
    const conflict = memoryMapConflict(config(set, machine));
    if (why === undefined) expect(conflict).toBeUndefined();
    else expect(conflict).toContain(why);
  });

  it('that is not refused has no two regions that overlap, and no empty one', () => {
    const some = fc.record({
      pageOffset: fc.constantFrom(0x4000_0000, 0x8000_0000, 0xc000_0000, 0xc100_0000),
      vmallocReserve: fc.nat(300).map((mib) => mib * 2 ** 20),
      vmallocEnd: fc.integer({ min: 0xf00, max: 0xfff }).map((mib) => mib * 2 ** 20),
      highmem: fc.boolean(),
      vectors: fc.constantFrom('high', 'low'),
    });
    let accepted = 0;
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 4096 }), (set, mib) => {
        const each = config(set, { ramBytes: mib * 2 ** 20 });
        if (memoryMapConflict(each) !== undefined) return;
        accepted += 1;
        const { regions } = memoryMap(each);
        for (const a of regions) {
          expect(a.end).toBeGreaterThan(a.start);
          for (const b of regions) if (a !== b) expect(a.end <= b.start || b.end <= a.start).toBe(true);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
