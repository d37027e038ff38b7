import {
  accessBatch,
  AccessKind,
  FaultKind,
  PageFlag,
  pushAccess,
  translatedBatch,
} from '@tablewalk/contracts';
import type { TlbEngine, Walker } from '@tablewalk/contracts';
import { openMachine } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { manifest } from './manifest.ts';

/** Pages map to themselves; the megabyte at 0x100000 is a section. */
const walker: Walker = {
  walk(_ttbr, vaLo, _vaHi, result) {
    const section = vaLo >>> 20 === 1;
    Object.assign(result, {
      status: 0,
      fault: FaultKind.none,
      level: section ? 1 : 2,
      reads: section ? 1 : 2,
      readBytes: 4,
    });
    result.pageShift = section ? 20 : 12;
    result.pfn = section ? 0x100 : vaLo >>> 12;
    result.flags = PageFlag.user | PageFlag.write | PageFlag.execute;
  },
  permissionStatus: () => 0,
};

const engineOf = (knobs: object): TlbEngine =>
  openMachine({
    cpus: 1,
    known: [manifest],
    slots: { tlb: { use: manifest.id, ...knobs } },
  }).slots.tlb.engine(walker);

/** Loads from pages, one after the other, and what they added to some counters. */
function load(engine: TlbEngine, pages: readonly number[], counters: readonly string[], asid = 1): number[] {
  const totals = (): number[] =>
    counters.map((name) => {
      const at = engine.counterNames.indexOf(name);
      expect(at, name).toBeGreaterThanOrEqual(0);
      return engine.counters(0)[at] as number;
    });
  const before = totals();
  for (const page of pages) {
    const batch = accessBatch(1);
    pushAccess(batch, AccessKind.load, page * 4096, 4);
    engine.translate(0, { asid, ttbr: 0x4000 * asid }, batch, 0, 1, translatedBatch(32));
  }
  return totals().map((total, i) => total - (before[i] as number));
}

describe('tlb-set-associative', () => {
  it('a main TLB behind a micro-TLB: pages of one set drive each other out (Cortex-A9 TRM DDI 0388I 6.2)', () => {
    const engine = engineOf({
      first: { instruction: { entries: 1 }, data: { entries: 1 } },
      second: { entries: 4, ways: 2 },
      with: { replacement: 'replacement-lru' },
    });
    const watched = ['dtlb.misses::L', 'l2tlb.misses::L', 'tlb.walks', 'tlb.walkReads'];
    expect(load(engine, [0, 2, 0, 2], watched)).toEqual([4, 2, 2, 4]);
    // Pages 0, 2 and 4 share the even set of two ways: 4 drives out 0, 0 drives out 2.
    expect(load(engine, [4, 0, 2], watched)).toEqual([3, 3, 3, 6]);
    expect(load(engine, [1, 1, 1], watched)).toEqual([1, 1, 1, 2]);
  });

  it('a section needs one entry for its 256 pages', () => {
    const engine = engineOf({ first: { unified: { entries: 4 } } });
    const pages = Array.from({ length: 256 }, (_, page) => 0x100 + page);
    expect(load(engine, pages, ['tlb.misses::L', 'tlb.walkReads'])).toEqual([1, 1]);
  });

  it('an ASID tells address spaces apart, without a flush', () => {
    const engine = engineOf({ first: { unified: { entries: 8 } } });
    const misses = (asid: number): number[] => load(engine, [8, 9], ['tlb.misses::L'], asid);
    expect([misses(1), misses(2), misses(1), misses(2)]).toEqual([[2], [2], [0], [0]]);
  });

  it('microFlush: a change of context empties the first level and leaves the main TLB', () => {
    const levels = {
      first: { instruction: { entries: 4 }, data: { entries: 4 } },
      second: { entries: 8, ways: 2 },
    };
    const misses = (microFlush: boolean): number[] => {
      const engine = engineOf({ ...levels, microFlush });
      load(engine, [8], []);
      load(engine, [9], [], 2);
      return load(engine, [8], ['dtlb.misses::L', 'l2tlb.misses::L']);
    };
    expect(misses(true)).toEqual([1, 0]);
    expect(misses(false)).toEqual([0, 0]);
  });

  it('refuses a geometry that cannot be', () => {
    expect(() => engineOf({ first: { unified: { entries: 10, ways: 4 } } })).toThrow(/TLB/);
    const tree = { first: { unified: { entries: 12 } }, with: { replacement: 'replacement-tree-plru' } };
    expect(() => engineOf(tree)).toThrow(/power of two/);
  });

  it('entries: of the second level, or of each first-level TLB where there is none', () => {
    const first = { instruction: { entries: 8 }, data: { entries: 8 } };
    const both = engineOf({ entries: 1, first, second: { entries: 8 } });
    expect(load(both, [1, 2, 1, 2], ['dtlb.misses::L', 'l2tlb.evictions'])).toEqual([2, 1]);
    expect(load(engineOf({ entries: 1, first }), [1, 2, 1, 2], ['dtlb.misses::L'])).toEqual([4]);
    expect(
      load(engineOf({ entries: 1, first: { unified: { entries: 8 } } }), [1, 2, 1], ['tlb.misses::L']),
    ).toEqual([3]);
  });
});
