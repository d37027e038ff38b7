import { translatedBatch } from '@tablewalk/contracts';
import type { TranslatedBatch } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { cacheHierarchy } from './cache-hierarchy.ts';
import type { CacheHierarchy } from './cache-hierarchy.ts';
import type { CacheHierarchySpec, CacheSpec } from './cache-spec.ts';
import { testLru, testRandom } from './policies.fixture.ts';

type Piece = readonly [kind: number, va: number, size: number, pa?: number];

function pieces(list: readonly Piece[]): TranslatedBatch {
  const batch = translatedBatch(list.length);
  for (const [kind, va, size, pa = va] of list) {
    const i = batch.count++;
    batch.kind[i] = kind;
    batch.vaLo[i] = va % 2 ** 32;
    batch.vaHi[i] = Math.floor(va / 2 ** 32);
    batch.paLo[i] = pa % 2 ** 32;
    batch.paHi[i] = Math.floor(pa / 2 ** 32);
    batch.size[i] = size;
  }
  return batch;
}

/** Counters of a CPU that are not zero. */
const counted = (engine: CacheHierarchy, cpu = 0): Record<string, number> =>
  Object.fromEntries(
    engine.counterNames
      .map((name, i) => [name, engine.counters(cpu)[i] as number] as const)
      .filter(([, count]) => count > 0),
  );
const LOAD = 1;
const STORE = 2;
const MODIFY = 3;
const WALK = 4;

const small: CacheSpec = { sets: 2, ways: 2, lineBytes: 32, replacement: testLru };
const split = (more: Partial<CacheHierarchySpec> = {}, l1: CacheSpec = small): CacheHierarchy =>
  cacheHierarchy({ cpus: 1, seed: 1, l1: { instruction: l1, data: l1 }, ...more });

describe('cacheHierarchy', () => {
  it('write-back: the victim goes down after the fill, a full line needs no read', () => {
    const engine = split({ l2: { ...small, sets: 4, shared: true } });
    // Lines 0, 2, 4 share a set of two ways.
    engine.run(
      0,
      pieces([
        [STORE, 0, 4],
        [LOAD, 64, 4],
        [LOAD, 128, 4],
        [STORE, 256, 32],
      ]),
    );
    expect(counted(engine)).toEqual({
      'dcache.accesses::R': 2,
      'dcache.accesses::W': 2,
      'dcache.misses::R': 2,
      'dcache.misses::W': 2,
      'dcache.writebacks': 1,
      'l2cache.accesses::R': 3,
      'l2cache.accesses::W': 1,
      'l2cache.misses::R': 3,
      'memory.reads': 3,
    });
  });

  it('cuts at lines, low first, and makes a modify a read and a write', () => {
    const engine = split();
    engine.run(
      0,
      pieces([
        [MODIFY, 30, 4],
        [0, 62, 4],
      ]),
    );
    expect(counted(engine)).toEqual({
      'icache.accesses::I': 2,
      'icache.misses::I': 2,
      'dcache.accesses::R': 2,
      'dcache.accesses::W': 2,
      'dcache.misses::R': 2,
      'memory.reads': 4,
    });
  });

  it('write-through: every store goes down, a store that misses allocates nothing', () => {
    const engine = split({ writePolicy: 'write-through', l2: { ...small, shared: true } });
    engine.run(
      0,
      pieces([
        [STORE, 0, 4],
        [LOAD, 0, 4],
        [STORE, 0, 4],
        [MODIFY, 0, 4],
      ]),
    );
    expect(counted(engine)).toEqual({
      'dcache.accesses::R': 2,
      'dcache.accesses::W': 3,
      'dcache.misses::R': 1,
      'dcache.misses::W': 1,
      'l2cache.accesses::R': 1,
      'l2cache.accesses::W': 3,
      'l2cache.misses::W': 1,
      'memory.reads': 1,
    });
  });

  it('VIVT: one physical line stands twice, each dirty copy goes to its own physical line', () => {
    const engine = split({}, { ...small, index: 'va', tag: 'va' });
    engine.run(
      0,
      pieces([
        [STORE, 0x1000, 4, 0x9000],
        [STORE, 0x2020, 4, 0x9000],
        [LOAD, 0x1000, 4, 0x9000],
      ]),
    );
    expect(counted(engine)['dcache.misses::W']).toBe(2);
    // Another process: the same address leads elsewhere, but the line still answers.
    engine.run(0, pieces([[LOAD, 0x1000, 4, 0x5000]]));
    expect(counted(engine)['dcache.misses::R']).toBeUndefined();
    expect(engine.maintain(0, { operation: 'clean', side: 'data' })).toEqual([2, 0]);
    expect(engine.maintain(0, { operation: 'clean-invalidate', side: 'both' })).toEqual([0, 2]);
    expect(counted(engine)['memory.writes']).toBe(2);
  });

  it('VIPT: colours of one page stand apart; maintenance finds all of them', () => {
    // 512 sets of 32 bytes: a way of 16 KiB has four colours.
    const engine = split(
      {},
      { sets: 512, ways: 1, lineBytes: 32, replacement: testLru, index: 'va', tag: 'pa' },
    );
    const aliases: Piece[] = [0, 1, 2, 3].map((colour) => [
      STORE,
      0x10000 + colour * 0x1000 + 0x40,
      4,
      0x7040,
    ]);
    engine.run(0, pieces([...aliases, [LOAD, 0x14040, 4, 0x7040]]));
    expect(counted(engine)).toMatchObject({ 'dcache.misses::W': 4, 'dcache.accesses::R': 1 });
    const range = { va: 0x10040, pa: 0x7040, bytes: 1 };
    expect(engine.maintain(0, { operation: 'clean-invalidate', side: 'data', range })).toEqual([4, 4]);
    expect(engine.maintain(0, { operation: 'clean-invalidate', side: 'data', range })).toEqual([0, 0]);
  });

  it('invalidate loses what was dirty; a range stops at its last byte', () => {
    const engine = split();
    engine.run(
      0,
      pieces([
        [STORE, 0, 4],
        [STORE, 32, 4],
        [0, 32, 4],
      ]),
    );
    const range = { va: 0, pa: 31, bytes: 1 };
    expect(engine.maintain(0, { operation: 'invalidate', side: 'both', range })).toEqual([0, 1]);
    expect(engine.maintain(0, { operation: 'invalidate', side: 'instruction' })).toEqual([0, 1]);
    expect(
      engine.maintain(0, { operation: 'clean', side: 'both', range: { ...range, bytes: 2 ** 31 } }),
    ).toEqual([1, 0]);
    expect(
      engine.maintain(0, { operation: 'invalidate', side: 'both', range: { ...range, bytes: 0 } }),
    ).toEqual([0, 0]);
    engine.run(0, pieces([[LOAD, 0, 4]]));
    expect(counted(engine)).toMatchObject({ 'dcache.misses::R': 1, 'dcache.cleaned': 1, 'memory.writes': 1 });
  });

  it.each([
    ['l1d', { 'dcache.accesses::walk': 2, 'dcache.misses::walk': 1, 'l2cache.accesses::walk': 1 }],
    ['l2', { 'l2cache.accesses::walk': 2, 'l2cache.misses::walk': 1, 'memory.reads': 1 }],
    ['memory', { 'memory.walkReads': 2 }],
  ] as const)('descriptor reads look in %s', (walks, expected) => {
    const engine = split({ walks, l2: { ...small, shared: false } });
    engine.run(
      0,
      pieces([
        [WALK, 0x4000, 4],
        [WALK, 0x4004, 4],
      ]),
    );
    expect(counted(engine)).toMatchObject(expected);
  });

  it('a shared L2 counts for the CPU that comes to it; private ones stay apart', () => {
    for (const shared of [true, false]) {
      const l1 = { unified: small };
      const engine = cacheHierarchy({ cpus: 2, seed: 1, l1, l2: { ...small, sets: 8, shared } });
      for (const cpu of [0, 1]) engine.run(cpu, pieces([[LOAD, 0, 4]]));
      expect(counted(engine, 0)['l2cache.misses::R']).toBe(1);
      expect(counted(engine, 1)['l2cache.misses::R']).toBe(shared ? undefined : 1);
      expect(counted(engine, 1)['l2cache.accesses::R']).toBe(1);
    }
  });

  it('the same seed gives the same ways, another seed others; a saved state goes on as the first did', () => {
    const random = { ...small, ways: 4, replacement: testRandom };
    const work = pieces(
      Array.from({ length: 300 }, (_, i): Piece => [1 + (i % 3), ((i * i * 7) % 64) * 32, 4]),
    );
    const make = (seed: number): CacheHierarchy => split({ seed }, random);
    const first = make(1);
    const second = make(1);
    const third = make(2);
    for (const engine of [first, second, third]) engine.run(0, work);
    expect([second.digest(), second.outcomeWord(0)]).toEqual([first.digest(), first.outcomeWord(0)]);
    expect(third.digest()).not.toBe(first.digest());
    third.load(first.save() ?? []);
    for (const engine of [first, third]) engine.run(0, work);
    expect([third.digest(), third.outcomeWord(0)]).toEqual([first.digest(), first.outcomeWord(0)]);
    expect(third.counters(0)).toEqual(first.counters(0));
  });

  it('uses lines whose numbers have all 32 bits, and refuses what it cannot hold', () => {
    const engine = split({ paBits: 37, vaBits: 37 });
    engine.run(
      0,
      pieces([
        [STORE, 2 ** 37 - 64, 4],
        [LOAD, 2 ** 37 - 64, 4],
        [STORE, 2 ** 36 - 64, 4],
      ]),
    );
    expect(counted(engine)).toMatchObject({ 'dcache.misses::W': 2, 'dcache.accesses::R': 1 });
    expect(counted(engine)['dcache.misses::R']).toBeUndefined();
    expect(() => engine.run(0, pieces([[LOAD, 2 ** 37 - 32, 4]]))).toThrow(/CACHE_ADDRESS_TOO_HIGH/);
    expect(() => engine.run(0, pieces([[LOAD, 2 ** 37, 4]]))).toThrow(/more than the 37 bits/);
  });
});
