import { FaultKind, newWalk, WalkStage } from '@tablewalk/contracts';
import type { Regime, TableFormat, Walk } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelEntryDifferences, swapperRoot, taskSizeOf } from './lazy-entries.ts';
import { linuxPteAddress, linuxPteNames } from './linux-entries.ts';
import { linuxFault } from './linux-faults.ts';
import type { LinuxFaultQuestion } from './linux-faults.ts';
import { readMeta } from './meta.ts';
import { pageRecords, readPages } from './pages.ts';
import { leafCounts, mappedRanges } from './ranges.ts';
import { sampleMetaText, samplePages, samples } from './sample-dump.ts';
import { finishWalk, outputAddress, translate } from './walk.ts';
import { shiftOfLevel, walkStart } from './walk-start.ts';

/**
 * A format with as little as a walk needs: two levels of words as in the short format, bit 0 a table, bit 1 a leaf,
 * bit 2 of a leaf: read-only, bit 3: PL0, too.
 */
function tinyRegime(ttbr0: number): Regime {
  const leaf = (walk: Walk, base: number, shift: number, bits: number): void => {
    Object.assign(walk, { stage: WalkStage.leaf, base, shift, leaf: bits });
  };
  return {
    begin(walk, va, table = ttbr0) {
      Object.assign(walk, { va, level: 1, stage: WalkStage.table, fault: FaultKind.none });
      walk.pa = table + (va >>> 20) * 4;
    },
    descend(walk, lo) {
      if ((lo & 0b11) === 0) {
        walk.stage = WalkStage.fault;
        walk.fault = FaultKind.translation;
      } else if ((lo & 0b10) !== 0) {
        const shift = walk.level === 1 ? 20 : 12;
        leaf(walk, (lo & (-1 << shift)) >>> 0, shift, lo & 0b1100);
      } else {
        walk.pa = ((lo & 0xffff_fc00) >>> 0) + ((walk.va >>> 12) & 0xff) * 4;
        walk.level = 2;
      }
    },
    check: ({ leaf: bits }, { write, fetch, privileged }) =>
      fetch || (write && (bits & 4) !== 0) || (!privileged && (bits & 8) === 0)
        ? FaultKind.permission
        : FaultKind.none,
    status: (fault, level) => fault * 4 + level,
    global: () => true,
    attributes: () => ({ type: 'device' }),
  };
}
const tiny: TableFormat = {
  name: 'tiny',
  source: 'walk.spec.ts',
  wordBytes: 4,
  registers: ['TTBR0'],
  selectedBy: () => true,
  regime: (registers) => tinyRegime(Number(registers['TTBR0'])),
  layouts: [{ type: 'any', levels: [1, 2], is: [0, 0], fields: [] }],
  layoutOf: () => tiny.layouts[0] as TableFormat['layouts'][number],
};
const ROOT = 0x4000;
const TABLE = 0x8000;
const regime = tiny.regime({ TTBR0: BigInt(ROOT) });

function tinyPages(words: Readonly<Record<number, number>>): ReturnType<typeof readPages> {
  const pages = new Map<number, Uint8Array>();
  for (const pa of [0x4000, 0x5000, 0x6000, 0x7000, TABLE]) pages.set(pa, new Uint8Array(4096));
  for (const [pa, word] of Object.entries(words)) {
    const page = pages.get(Number(pa) - (Number(pa) % 4096)) as Uint8Array;
    new DataView(page.buffer).setUint32(Number(pa) % 4096, word, true);
  }
  return readPages(pageRecords(pages), 'tiny');
}

describe('a walk of a dump', () => {
  const pages = tinyPages({
    [ROOT]: TABLE | 1,
    [ROOT + 4]: 0x0123_4002,
    [ROOT + 8]: 0x0002_0001,
    [TABLE + 4]: 0x0055_5002,
  });

  it('tells every descriptor on its way', () => {
    const { steps, walk, absent } = translate(tiny, regime, pages, 0x1abc);
    expect(steps.map(({ level, pa, lo }) => [level, pa, lo])).toEqual([
      [1, ROOT, TABLE | 1],
      [2, TABLE + 4, 0x0055_5002],
    ]);
    expect([absent, walk.stage, outputAddress(walk)]).toEqual([undefined, WalkStage.leaf, 0x0055_5abc]);
  });

  it('stops where the dump has no page, and says where', () => {
    const { steps, walk, absent } = translate(tiny, regime, pages, 0x0020_3000);
    expect([steps.length, absent, walk.stage]).toEqual([1, 0x0002_0000 + 12, WalkStage.table]);
  });

  it('comes to the same as the walk that tells nothing', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0x3f_ffff }), (va) => {
        const walk = newWalk();
        finishWalk(regime, 4, pages, walk, va);
        expect(translate(tiny, regime, pages, va).walk).toEqual(walk);
      }),
    );
  });
});

describe('mapped ranges', () => {
  it('join what follows in virtual addresses and is alike', () => {
    const pages = tinyPages({
      [ROOT]: TABLE | 1,
      [ROOT + 4]: 0x0120_0002,
      [ROOT + 8]: 0x0130_0002,
      [ROOT + 12]: 0x0130_0002,
      [TABLE + 0x3f8]: 0x0055_5002,
      [TABLE + 0x3fc]: 0x0055_6006,
    });
    const ranges = mappedRanges(tiny, regime, pages);
    expect(ranges.map(({ start, end, leaves, pa, rights }) => [start, end, leaves, pa, rights.pl1])).toEqual([
      [0xfe000, 0xff000, 1, 0x0055_5000, 'rw-'],
      [0xff000, 0x10_0000, 1, 0x0055_6000, 'r--'],
      [0x10_0000, 0x40_0000, 3, undefined, 'rw-'],
    ]);
    expect(leafCounts(tiny, ranges, 0x20_0000)).toEqual({
      'page/user': 2,
      'section/user': 1,
      'section/kernel': 2,
    });
  });

  it('agree with a walk of every page', () => {
    const words = fc.array(fc.nat({ max: 0xf }), { minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(words, (bits) => {
        const entries = bits.map((word, i) => [TABLE + 4 * i, (i << 12) | (word & 0b1110)] as const);
        const pages = tinyPages({ [ROOT]: TABLE | 1, ...Object.fromEntries(entries) });
        const ranges = mappedRanges(tiny, regime, pages, 0, 0x10_0000);
        for (let va = 0; va < 64 * 4096; va += 4096) {
          const range = ranges.find(({ start, end }) => start <= va && va < end);
          const { walk } = translate(tiny, regime, pages, va);
          expect(range !== undefined).toBe(walk.stage === WalkStage.leaf);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('where a walk begins', () => {
  const start = (wordBytes: 4 | 8, ttbcr: number, va: number): string => {
    const { ttbr, level, indexBits } = walkStart({ ...tiny, wordBytes }, { TTBCR: BigInt(ttbcr) }, va);
    return `${ttbr} level ${level}, ${indexBits} bits`;
  };

  it.each([
    [0, 0xffff_ffff, 'TTBR0 level 1, 12 bits'],
    [2, 0x3fff_ffff, 'TTBR0 level 1, 10 bits'],
    [2, 0x4000_0000, 'TTBR1 level 1, 12 bits'],
    [0x12, 0, 'none level 1, 10 bits'],
    [0x22, 0x4000_0000, 'none level 1, 12 bits'],
  ])('short, TTBCR %i, %i: %s', (ttbcr, va, expected) => {
    expect(start(4, ttbcr, va)).toBe(expected);
  });

  it.each([
    [0x8000_0000, 0xffff_ffff, 'TTBR0 level 1, 2 bits'],
    [0x8002_0000, 0xbfff_ffff, 'TTBR0 level 1, 2 bits'],
    [0x8002_0000, 0xc000_0000, 'TTBR1 level 2, 9 bits'],
    [0x8000_0001, 0x8000_0000, 'TTBR1 level 1, 2 bits'],
    [0x8002_0002, 0x4000_0000, 'none level 2, 9 bits'],
    [0x8082_0000, 0xc000_0000, 'none level 2, 9 bits'],
    [0x8000_0080, 0, 'none level 1, 2 bits'],
  ])('long, TTBCR %i, %i: %s', (ttbcr, va, expected) => {
    expect(start(8, ttbcr, va)).toBe(expected);
  });

  it('entries cover 1MiB and 4KiB, or 1GiB, 2MiB and 4KiB', () => {
    expect([1, 2].map((level) => shiftOfLevel(tiny, level))).toEqual([20, 12]);
    expect([1, 2, 3].map((level) => shiftOfLevel({ ...tiny, wordBytes: 8 }, level))).toEqual([30, 21, 12]);
  });
});

describe("init_mm's entries", () => {
  const dumpOf = (name: keyof typeof samples) => {
    const sample = samples[name]();
    return {
      name,
      pages: readPages(samplePages(sample), name),
      meta: readMeta(sampleMetaText(sample), name),
    };
  };

  it('differ from those of a task as the description says, and only what is none is mended by a fault', () => {
    const dump = dumpOf('short-tiny');
    const [, demo] = dump.meta.roots;
    const found = kernelEntryDifferences(dump, tiny, demo?.pa ?? 0);
    expect(
      found.map(({ index, va, here, swapper }) => ({ index, va, here: here.lo, swapper: swapper.lo })),
    ).toEqual(demo?.kernel_entry_differences);
    expect(found.map(({ mended }) => mended)).toEqual([true, true, false, false]);
    expect(kernelEntryDifferences(dump, tiny, swapperRoot(dump)?.pa ?? 0)).toEqual([]);
    expect(taskSizeOf(dump)).toBe(0xbf00_0000);
  });

  it('of the long format: pmd entries of modules, in the GiB that user space has the rest of', () => {
    const dump = dumpOf('lpae-tiny');
    const found = kernelEntryDifferences(dump, { ...tiny, wordBytes: 8 }, dump.meta.roots[1]?.pa ?? 0);
    expect(found.map(({ level, index, va, mended }) => [level, index, va, mended])).toEqual([
      [2, 504, 0xbf00_0000, true],
    ]);
  });
});

describe('what Linux adds', () => {
  it('its words lie 2048 bytes from those of the hardware, in both layouts of the page', () => {
    expect([linuxPteAddress(0x4002_0824), linuxPteAddress(0x4002_0424)]).toEqual([0x4002_0024, 0x4002_0c24]);
  });

  it('bits of a pte have their names', () => {
    expect(linuxPteNames(0x653)).toEqual([
      ...['L_PTE_PRESENT', 'L_PTE_YOUNG', 'L_PTE_DIRTY', 'L_PTE_XN', 'L_PTE_SHARED', 'L_PTE_MT_DEV_SHARED'],
    ]);
    expect([linuxPteNames(0), linuxPteNames(0x1234_5678)]).toEqual([[], ['swap entry or migration entry']]);
  });

  const question: LinuxFaultQuestion = {
    format: tiny,
    fault: FaultKind.translation,
    level: 1,
    va: 0xbf00_0000,
    access: { write: false, fetch: false, privileged: true },
    taskSize: 0xbf00_0000,
    initMmHasEntry: true,
    entry: [],
  };
  const long = { ...tiny, wordBytes: 8 as const };
  const told = (change: Partial<LinuxFaultQuestion>): string => {
    const { name, handler, then } = linuxFault({ ...question, ...change });
    return `${name}; ${handler}; ${then}`;
  };

  it.each<[Partial<LinuxFaultQuestion>, RegExp]>([
    [{}, /^section translation fault; do_translation_fault; .*lazy fault/],
    [{ initMmHasEntry: false }, /do_translation_fault; init_mm has no entry either.*oops/],
    [{ va: 0x1000 }, /do_translation_fault; the address is below TASK_SIZE, so it goes on to do_page_fault/],
    [{ access: { ...question.access, privileged: false } }, /do_translation_fault; .*SIGSEGV/],
    [{ level: 2 }, /^page translation fault; do_page_fault; finds no VMA/],
    [{ level: 1, fault: FaultKind.permission }, /^section permission fault; do_sect_fault; do_bad_area/],
    [{ level: 2, fault: FaultKind.domain }, /^page domain fault; do_bad; .*Unhandled fault/],
    [{ level: 2, fault: FaultKind.accessFlag }, /^section access flag fault; do_bad;/],
    [
      { level: 2, fault: FaultKind.accessFlag, access: { ...question.access, fetch: true } },
      /^page access flag fault; do_bad;/,
    ],
    [{ format: long, level: 2 }, /^level 2 translation fault; do_translation_fault; /],
    [{ format: long, level: 3, va: 0 }, /^level 3 translation fault; do_page_fault; maps a page/],
    [{ format: long, level: 1, fault: FaultKind.permission }, /^level 1 permission fault; do_bad; /],
    [{ format: long, level: 3, va: 0, fault: FaultKind.accessFlag }, /do_page_fault; marks the page young/],
  ])('%o', (change, expected) => {
    expect(told(change)).toMatch(expected);
  });

  it('a page fault of user space is told from the entry', () => {
    const page = { level: 2, va: 0x9000 };
    const write = { ...question.access, write: true };
    const denied = { ...page, fault: FaultKind.permission };
    expect(told({ ...page, entry: ['L_PTE_PRESENT'] })).toMatch(/marks the page young/);
    expect(told({ ...denied, access: write, entry: ['L_PTE_YOUNG'] })).toMatch(/marks the page dirty/);
    expect(told({ ...denied, access: write, entry: ['L_PTE_RDONLY'] })).toMatch(/copies the page/);
    expect(told({ ...page, entry: ['swap entry or migration entry'] })).toMatch(/do_swap_page/);
    expect(told({ ...page, entry: ['L_PTE_NONE'] })).toMatch(/PROT_NONE/);
  });
});
