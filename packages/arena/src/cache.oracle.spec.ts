import { translatedBatch } from '@tablewalk/contracts';
import type { CacheOperation, TranslatedBatch } from '@tablewalk/contracts';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { cacheHierarchy } from './cache-hierarchy.ts';
import type { CacheHierarchy } from './cache-hierarchy.ts';
import type { CacheHierarchySpec, CacheSpec } from './cache-spec.ts';
import { feed, NaiveCache } from './naive-cache.fixture.ts';
import type { NaiveGeometry, NaiveMemory } from './naive-cache.fixture.ts';
import { testFifo, testLru, testRoundRobin } from './policies.fixture.ts';

/**
 * The engine against a hierarchy of lists (naive-cache.fixture.ts), on random geometries, with
 * aliases and maintenance, and on the first 20,000 references of golden/traces-arm/true-full.
 */
type Piece = readonly [kind: 0 | 1 | 2 | 3, va: bigint, pa: bigint, bytes: number];
type Step =
  Piece | readonly [operation: CacheOperation, whole: boolean, va: bigint, pa: bigint, bytes: number];

const POLICIES = { lru: testLru, stack: { ...testLru, stack: true }, fifo: testFifo, rr: testRoundRobin };
const cacheSpec = ({ line, policy, ...geometry }: NaiveGeometry): CacheSpec => {
  const { sets, ways, index = 'pa', tag = 'pa' } = geometry;
  return { sets, ways, index, tag, lineBytes: line, replacement: POLICIES[policy] };
};

function batchOf(list: readonly Piece[]): TranslatedBatch {
  const batch = translatedBatch(list.length);
  for (const [kind, va, pa, bytes] of list) {
    const i = batch.count++;
    batch.kind[i] = kind;
    [batch.vaLo[i], batch.vaHi[i]] = [Number(va & 0xffffffffn), Number(va >> 32n)];
    [batch.paLo[i], batch.paHi[i]] = [Number(pa & 0xffffffffn), Number(pa >> 32n)];
    batch.size[i] = bytes;
  }
  return batch;
}

/** Every counter of the L1s, the L2 and the memory that is not 0. */
function engineSays(engine: CacheHierarchy, cpus: number): Record<string, number> {
  const said: Record<string, number> = {};
  for (let cpu = 0; cpu < cpus; cpu++)
    engine.counterNames.forEach((name, i) => {
      // A shared L2 counts by CPU; the naive one does not.
      const key = /^(l2cache|memory)/.test(name) ? name : `cpu${cpu}.${name}`;
      if (/accesses|misses|writebacks|reads|writes/.test(name))
        said[key] = (said[key] ?? 0) + (engine.counters(cpu)[i] as number);
    });
  return Object.fromEntries(Object.entries(said).filter(([, count]) => count !== 0));
}

const geometry = (through: boolean): fc.Arbitrary<NaiveGeometry> =>
  fc
    .record({
      sets: fc.constantFrom(1, 2, 8, 256),
      ways: fc.integer({ min: 1, max: 5 }),
      line: fc.constantFrom(16, 32, 64),
      policy: fc.constantFrom('lru', 'stack', 'fifo', 'rr'),
      spaces: fc.constantFrom('pa pa', 'va pa', 'va va'),
    })
    .map(({ spaces, ...rest }) => {
      const [index, tag] = spaces.split(' ') as ['va' | 'pa', 'va' | 'pa'];
      return { ...rest, index, tag, through } as NaiveGeometry;
    });

const piece: fc.Arbitrary<Piece> = fc
  .tuple(
    fc.constantFrom(0, 1, 2, 3),
    fc.nat(6),
    fc.nat(4),
    fc.nat(4095),
    fc.constantFrom(1, 2, 4, 8, 16, 32, 64),
  )
  .map(([kind, page, frame, offset, bytes]) => {
    const at = BigInt(offset % 512 > 256 ? offset : offset - (offset % bytes)); // half of them aligned
    const size = Math.min(bytes, 4096 - Number(at));
    return [kind as 0, 0xf00000000n + BigInt(page) * 4096n + at, BigInt(frame) * 4096n + at, size];
  });
const maintenance: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('clean', 'invalidate', 'clean-invalidate'),
  fc.boolean(),
  fc.nat(7 * 4096).map((offset) => 0xf00000000n + BigInt(offset)),
  fc.nat(5 * 4096).map(BigInt),
  fc.constantFrom(1, 64, 4096, 100_000),
);

interface Hierarchies {
  readonly spec: CacheHierarchySpec;
  readonly l1: readonly { instruction: NaiveCache; data: NaiveCache }[];
  readonly outer: NaiveCache | undefined;
  readonly memory: NaiveMemory;
}

function hierarchies(
  unified: boolean,
  first: NaiveGeometry,
  second: NaiveGeometry | undefined,
  cpus: number,
  through: boolean,
): Hierarchies {
  const memory: NaiveMemory = { reads: 0, writes: 0 };
  const outer = second && new NaiveCache(second, memory);
  const l1 = Array.from({ length: cpus }, () => {
    const data = new NaiveCache(first, outer ?? memory);
    return { data, instruction: unified ? data : new NaiveCache(first, outer ?? memory) };
  });
  const one = cacheSpec(first);
  const spec: CacheHierarchySpec = {
    cpus,
    seed: 1,
    vaBits: 36,
    paBits: 32,
    l1: unified ? { unified: one } : { instruction: one, data: one },
    ...(second === undefined ? {} : { l2: { ...cacheSpec(second), shared: true } }),
    writePolicy: through ? 'write-through' : 'write-back',
  };
  return { spec, l1, outer, memory };
}

function naiveSays({ l1, outer, memory }: Hierarchies, unified: boolean): Record<string, number> {
  const said: Record<string, number> = {};
  const add = (prefix: string, counts: Record<string, number>): void => {
    for (const [name, count] of Object.entries(counts)) said[`${prefix}.${name}`] = count;
  };
  l1.forEach(({ instruction, data }, cpu) => {
    add(`cpu${cpu}.${unified ? 'cache' : 'dcache'}`, data.counts);
    if (!unified) add(`cpu${cpu}.icache`, instruction.counts);
  });
  if (outer !== undefined) add('l2cache', outer.counts);
  if (memory.reads > 0) said['memory.reads'] = memory.reads;
  if (memory.writes > 0) said['memory.writes'] = memory.writes;
  return said;
}

const overlaps = (start: bigint, line: number, from: bigint, bytes: number): boolean =>
  start < from + BigInt(bytes) && start + BigInt(line) > from;

describe('cacheHierarchy against lists', () => {
  it('counts the same on random geometries, aliases, CPUs and maintenance, in both loops', () => {
    const scene = fc.boolean().chain((through) =>
      fc.record({
        through: fc.constant(through),
        unified: fc.boolean(),
        first: geometry(through),
        second: fc.option(
          geometry(false).map(({ sets, ways, policy }) => ({ sets, ways, policy, line: 64 })),
          { nil: undefined },
        ),
        cpus: fc.integer({ min: 1, max: 2 }),
        steps: fc.array(fc.tuple(fc.nat(1), fc.oneof({ weight: 40, arbitrary: piece }, maintenance)), {
          maxLength: 250,
        }),
      }),
    );
    fc.assert(
      fc.property(scene, ({ through, unified, first, second, cpus, steps }) => {
        const naive = hierarchies(unified, first, second, cpus, through);
        const fast = cacheHierarchy(naive.spec);
        const byLines = cacheHierarchy({ ...naive.spec, classify: true });
        for (const [number, step] of steps) {
          const cpu = number % cpus;
          const caches = naive.l1[cpu] as { instruction: NaiveCache; data: NaiveCache };
          if (typeof step[0] === 'number') {
            feed(caches, step as Piece);
            for (const engine of [fast, byLines]) engine.run(cpu, batchOf([step as Piece]));
            continue;
          }
          const [operation, whole, va, pa, bytes] = step as Exclude<Step, Piece>;
          const byVa = first.tag === 'va';
          const wanted = (lineVa: bigint, linePa: bigint): boolean =>
            whole || overlaps(byVa ? lineVa : linePa, first.line, byVa ? va : pa, bytes);
          // By range the engine goes by address, the naive one by set: without an L2 the order shows nowhere.
          if (!whole && second !== undefined) continue;
          const expected = caches.data.maintain(operation, wanted);
          const range = { va: Number(va), pa: Number(pa), bytes };
          for (const engine of [fast, byLines])
            expect(engine.maintain(cpu, { operation, side: 'data', ...(whole ? {} : { range }) })).toEqual(
              expected,
            );
        }
        const said = naiveSays(naive, unified);
        expect(engineSays(fast, cpus)).toEqual(said);
        expect(engineSays(byLines, cpus)).toEqual(said);
        expect(byLines.outcomeWord(0)).toBe(fast.outcomeWord(0));
      }),
      { numRuns: 400 },
    );
  });
});

/** L1s of 128 sets x 4 ways x 32 bytes over 512 x 8 x 64: from a third program. */
const PINNED = {
  'cpu0.icache.accesses::I': 15213,
  'cpu0.icache.misses::I': 539,
  'cpu0.dcache.accesses::R': 3180,
  'cpu0.dcache.accesses::W': 1806,
  'cpu0.dcache.misses::R': 236,
  'cpu0.dcache.misses::W': 183,
  'cpu0.dcache.writebacks': 14,
  'l2cache.accesses::I': 539,
  'l2cache.accesses::R': 419,
  'l2cache.accesses::W': 14,
  'l2cache.misses::I': 287,
  'l2cache.misses::R': 267,
  'memory.reads': 554,
};

describe('the first 20,000 references of /bin/true on ARM', () => {
  const text = gunzipSync(readFileSync(new URL('./fixtures/true-arm-20k.lk.gz', import.meta.url))).toString();
  const references = text
    .trimEnd()
    .split('\n')
    .map((line): Piece => {
      const match = /^[I ](?<kind>[ LSM]) (?<va>[0-9a-f]+),(?<bytes>\d+)$/.exec(line)?.groups;
      const va = BigInt(`0x${match?.va}`);
      return [' LSM'.indexOf(match?.kind ?? '?') as 0, va, va, Number(match?.bytes)];
    });
  const batch = batchOf(references);

  it('is what it says', () => {
    expect([0, 1, 2, 3].map((kind) => references.filter(([is]) => is === kind).length)).toEqual([
      15018, 3177, 1805, 0,
    ]);
  });

  it('counts as the lists do in geometries like A, C, D and E', () => {
    const split = (sets: number, ways: number, line: number): NaiveGeometry => ({
      sets,
      ways,
      line,
      policy: 'lru',
    });
    const geometries: [NaiveGeometry, NaiveGeometry | undefined][] = [
      [split(128, 4, 64), split(1024, 8, 64)],
      [split(128, 4, 32), split(512, 8, 64)],
      [split(128, 1, 64), split(256, 4, 64)],
      [split(1, 64, 64), undefined],
    ];
    for (const [first, second] of geometries) {
      const naive = hierarchies(false, first, second, 1, false);
      for (const reference of references)
        feed(naive.l1[0] as { instruction: NaiveCache; data: NaiveCache }, reference);
      const engine = cacheHierarchy(naive.spec);
      engine.run(0, batch);
      expect(engineSays(engine, 1)).toEqual(naiveSays(naive, false));
      if (first.line === 32) expect(engineSays(engine, 1)).toEqual(PINNED);
    }
  });
});
