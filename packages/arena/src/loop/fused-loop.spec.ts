import { translatedBatch } from '@tablewalk/contracts';
import type { ArenaImage, CacheOperation, DataLoop, ReplacementPolicy, TlbScope } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheHierarchy } from '../cache-hierarchy.ts';
import type { CacheHierarchy } from '../cache-hierarchy.ts';
import type { CacheHierarchySpec, CacheSpec } from '../cache-spec.ts';
import { testFifo, testLru, testRandom, testRoundRobin } from '../policies.fixture.ts';
import { EVERYTHING, referencesBatch, testWalker } from '../test-walker.fixture.ts';
import type { TestReference } from '../test-walker.fixture.ts';
import { tlbEngine } from '../tlb-engine.ts';
import type { ExactTlbEngine } from '../tlb-engine.ts';
import type { TlbSpec, TlbStructureSpec } from '../tlb-spec.ts';
import { untranslated } from '../untranslated.ts';

/**
 * The loop in one against the two engines in turns: whatever the machine, and whatever happens to it between
 * batches, each says and leaves the same.
 */
const POLICIES: Readonly<Record<string, ReplacementPolicy>> = {
  lru: testLru,
  fifo: testFifo,
  rr: testRoundRobin,
  random: testRandom,
};
const policyName = fc.constantFrom(...Object.keys(POLICIES));

/**
 * Pages 0 to 15 of 4 KiB; page 8 faults, 9 is read-only; from 1 MiB on sections. Frames depend on the table, and on
 * how often it was changed.
 */
const mapping = (va: number, ttbr: number, changes: number) => {
  if (va >= 2 ** 20)
    return { pfn: 0x400 + (Math.floor(va / 2 ** 20) % 4) * 256, shift: 20, flags: EVERYTHING | 8 };
  const page = Math.floor(va / 4096);
  if (page === 8) return undefined;
  return { pfn: (page * 5 + ttbr + changes) % 23, flags: page === 9 ? 4 : EVERYTHING };
};

const structure = fc.record({
  sets: fc.constantFrom(1, 2, 3),
  ways: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constantFrom(8, 9, 12)),
  policyName,
});
const tlb = fc.record({
  first: fc.array(structure, { minLength: 1, maxLength: 3 }),
  second: fc.option(structure, { nil: undefined }),
  microFlush: fc.boolean(),
});
const cacheOf = (lines: readonly number[]) =>
  fc.record({
    sets: fc.constantFrom(1, 4, 16, 256),
    ways: fc.integer({ min: 1, max: 10 }),
    lineBytes: fc.constantFrom(...lines),
    spaces: fc.constantFrom('pa pa', 'va pa', 'va va'),
    policyName,
  });
const caches = fc.record({
  instruction: fc.option(cacheOf([16, 32]), { nil: undefined }),
  data: cacheOf([16, 32, 64]),
  outer: fc.option(cacheOf([64]), { nil: undefined }),
  through: fc.boolean(),
  accounting: fc.constantFrom('line' as const, 'drcachesim' as const),
  walks: fc.constantFrom('l1d' as const, 'l2' as const, 'memory' as const),
});
const reference = fc
  .tuple(
    fc.constantFrom(0, 1, 2, 3),
    fc.oneof({ weight: 6, arbitrary: fc.nat(10) }, fc.constantFrom(256, 257, 600)),
    fc.oneof(fc.nat(4095), fc.constantFrom(0, 8, 60, 4092)),
    fc.constantFrom(1, 2, 4, 8, 16, 64, 100, 5000),
  )
  .map(([kind, page, offset, size]) => [kind, page * 4096 + offset, size]) as fc.Arbitrary<TestReference>;
const happening = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ references: fc.array(reference, { maxLength: 60 }), asid: fc.nat(2) }),
  },
  fc.record({
    scope: fc.constantFrom('all', 'asid', 'va', 'va-all-asids'),
    asid: fc.nat(2),
    startVpn: fc.nat(12),
  }),
  fc.record({ watch: fc.nat(24) }),
  fc.constant({ change: 'the table' as const }),
  fc.record({ image: fc.constantFrom('save' as const, 'load' as const) }),
  fc.record({ operation: fc.constantFrom('clean', 'invalidate', 'clean-invalidate'), pa: fc.nat(2 ** 16) }),
);

const tlbSpec = ({
  first,
  second,
  microFlush,
}: {
  first: readonly Shape[];
  second: Shape | undefined;
  microFlush: boolean;
}): TlbSpec => {
  const of = ({ sets, ways, policyName: name }: Shape): TlbStructureSpec => ({
    entries: sets * ways,
    ways,
    pageShifts: [12, 20],
    replacement: POLICIES[name] as ReplacementPolicy,
  });
  const [a, b, c] = first.map(of) as [TlbStructureSpec, TlbStructureSpec?, TlbStructureSpec?];
  return {
    cpus: 1,
    seed: 3,
    first:
      b === undefined
        ? { unified: a }
        : c === undefined
          ? { instruction: a, data: b }
          : { instruction: a, load: b, store: c },
    ...(second === undefined ? {} : { second: of(second), microFlush }),
  };
};
type ValueOf<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Shape = { sets: number; ways: number; policyName: string };

function hierarchySpec(
  { instruction, data, outer, through, accounting, walks }: ValueOf<typeof caches>,
  stack: boolean,
): CacheHierarchySpec {
  const of = ({ spaces, policyName: name, ...shape }: ValueOf<ReturnType<typeof cacheOf>>): CacheSpec => {
    const [index, tag] = spaces.split(' ') as ['va' | 'pa', 'va' | 'pa'];
    const policy = POLICIES[name] as ReplacementPolicy;
    return { ...shape, index, tag, replacement: name === 'lru' ? { ...policy, stack } : policy };
  };
  return {
    cpus: 1,
    seed: 5,
    vaBits: 36,
    paBits: 36,
    l1: instruction === undefined ? { unified: of(data) } : { instruction: of(instruction), data: of(data) },
    ...(outer === undefined ? {} : { l2: { ...of(outer), shared: true } }),
    writePolicy: through && accounting === 'line' ? 'write-through' : 'write-back',
    accounting,
    walks: walks === 'l2' && outer === undefined ? 'memory' : walks,
  };
}

/** A walker that says when its table has changed, or one that does not. */
function changingWalker(says: boolean) {
  let changes = 0;
  return {
    ...testWalker((va, ttbr) => mapping(va, ttbr, changes)),
    get version() {
      return says ? changes : undefined;
    },
    change() {
      changes += 1;
    },
  };
}

interface Side {
  readonly tlb: ExactTlbEngine;
  readonly cache: CacheHierarchy;
  readonly loop?: DataLoop;
  readonly walker?: ReturnType<typeof changingWalker>;
  /** Images of TLB and caches, as saved last. */
  readonly saved: { tlb: ArenaImage; cache: ArenaImage | undefined }[];
}

/** Runs references to the end, over every trap: a fault is passed over, a watched entry tried again. */
function runOver(
  { tlb: engine, cache, loop }: Side,
  references: readonly TestReference[],
  asid: number,
): string[] {
  const batch = referencesBatch(references);
  const out = translatedBatch(4096);
  const traps: string[] = [];
  const context = { asid, ttbr: asid };
  for (let i = 0; i < references.length;) {
    if (loop !== undefined) i = loop.run(0, context, batch, i, references.length);
    else {
      out.count = 0;
      i = engine.translate(0, context, batch, i, references.length, out);
      cache.run(0, out);
    }
    if (i === references.length) break;
    traps.push(`${i} ${JSON.stringify(engine.trap)}`);
    if (engine.trap.kind === 1) i += 1;
  }
  return traps;
}

const said = ({ tlb: engine, cache }: Side): unknown => ({
  tlb: Object.fromEntries(engine.counterNames.map((name, i) => [name, engine.counters(0)[i]])),
  cache: Object.fromEntries(cache.counterNames.map((name, i) => [name, cache.counters(0)[i]])),
  words: [engine.outcomeWord(0), cache.outcomeWord(0)],
  valid: engine.validEntries(0),
  tlbDigest: engine.digest(),
});

function saveOrLoad({ tlb: engine, cache, saved }: Side, how: 'save' | 'load'): void {
  const [image] = saved;
  if (how === 'save') saved[0] = { tlb: engine.save(), cache: cache.save() };
  else if (image?.cache !== undefined) {
    engine.load(image.tlb);
    cache.load(image.cache);
  }
}

function happens(sides: readonly Side[], what: ValueOf<typeof happening>): void {
  const answers = sides.map((side) => {
    if ('references' in what) return runOver(side, what.references, what.asid);
    if ('scope' in what) {
      const scope = what.scope as TlbScope;
      return side.tlb.invalidate(0, { ...what, scope, endVpn: what.startVpn + 3 });
    }
    if ('image' in what) return saveOrLoad(side, what.image);
    if ('change' in what) return side.walker?.change();
    if ('watch' in what) return side.tlb.watchFrame(0, what.watch);
    const range = { va: what.pa, pa: what.pa, bytes: 9000 };
    return side.cache.maintain(0, { operation: what.operation as CacheOperation, side: 'both', range });
  });
  expect(answers[1]).toEqual(answers[0]);
  expect(said(sides[1] as Side)).toEqual(said(sides[0] as Side));
}

describe('FusedLoop', () => {
  it('leaves what the two engines leave in turns, on random machines', () => {
    fc.assert(
      fc.property(
        tlb,
        caches,
        fc.boolean(),
        fc.boolean(),
        fc.array(happening, { maxLength: 20 }),
        (tlbShape, cacheShape, stack, says, history) => {
          const sides = [0, 1].map((): Side => {
            const walker = changingWalker(says);
            const engine = tlbEngine(tlbSpec(tlbShape), walker);
            return {
              tlb: engine,
              cache: cacheHierarchy(hierarchySpec(cacheShape, stack)),
              walker,
              saved: [],
            };
          }) as [Side, Side];
          const loop = sides[0].tlb.fuse?.(sides[0].cache);
          expect(loop).toBeDefined();
          for (const what of history) happens([{ ...sides[0], ...(loop && { loop }) }, sides[1]], what);
          expect(sides[0].cache.digest()).toBe(sides[1].cache.digest());
        },
      ),
      { numRuns: 500 },
    );
  });

  it('does so where nothing is translated', () => {
    fc.assert(
      fc.property(
        caches,
        fc.array(fc.array(reference, { maxLength: 60 }), { maxLength: 5 }),
        (shape, runs) => {
          const sides = [true, false].map((stack): Side => {
            return {
              tlb: untranslated(1) as ExactTlbEngine,
              cache: cacheHierarchy(hierarchySpec(shape, stack)),
              saved: [],
            };
          }) as [Side, Side];
          const loop = sides[0].tlb.fuse?.(sides[0].cache) as DataLoop;
          for (const references of runs) happens([{ ...sides[0], loop }, sides[1]], { references, asid: 1 });
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is not made where references are not counted by lines', () => {
    const engine = tlbEngine(
      tlbSpec({ first: [{ sets: 1, ways: 2, policyName: 'lru' }], second: undefined, microFlush: false }),
      changingWalker(true),
    );
    const data: CacheSpec = { sets: 4, ways: 1, lineBytes: 32, replacement: testLru };
    for (const more of [
      { accounting: 'cachegrind' },
      { accounting: 'pycachesim' },
      { classify: true },
    ] as const)
      expect(
        engine.fuse?.(cacheHierarchy({ cpus: 1, seed: 1, l1: { unified: data }, ...more })),
      ).toBeUndefined();
  });

  it('refuses an address that the caches have no room for, as the engines do', () => {
    const sides = untranslated(1);
    const data: CacheSpec = { sets: 4, ways: 1, lineBytes: 32, replacement: testLru };
    const loop = sides.fuse?.(cacheHierarchy({ cpus: 1, seed: 1, l1: { unified: data } })) as DataLoop;
    const batch = referencesBatch([[1, 2 ** 32 + 64, 4]]);
    expect(() => loop.run(0, { asid: 0, ttbr: 0 }, batch, 0, 1)).toThrow(/32 bits/);
  });

  it('refuses a frame that the caches have no room for, as the engines do', () => {
    const one = { sets: 1, ways: 2, policyName: 'lru' };
    const engine = tlbEngine(
      tlbSpec({ first: [one], second: one, microFlush: false }),
      testWalker(() => ({ pfn: 2 ** 20 })),
    );
    const data: CacheSpec = { sets: 4, ways: 1, lineBytes: 32, replacement: testLru };
    const loop = engine.fuse?.(cacheHierarchy({ cpus: 1, seed: 1, l1: { unified: data } })) as DataLoop;
    const batch = referencesBatch([[1, 4096, 4]]);
    expect(() => loop.run(0, { asid: 0, ttbr: 0 }, batch, 0, 1)).toThrow(/32 bits/);
  });
});
