import { accessBatch, pushAccess, translatedBatch } from '@tablewalk/contracts';
import type { AccessBatch, AccessKind, TlbScope, TranslatedBatch } from '@tablewalk/contracts';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { cacheHierarchy } from './cache-hierarchy.ts';
import type { CacheAccounting, CacheSpec } from './cache-spec.ts';
import { KINDS, NaiveTlb } from './naive-tlb.fixture.ts';
import type { NaiveEntry, NaiveShape } from './naive-tlb.fixture.ts';
import { testFifo, testLru, testRoundRobin } from './policies.fixture.ts';
import { EVERYTHING, referencesBatch, testWalker } from './test-walker.fixture.ts';
import type { TestReference } from './test-walker.fixture.ts';
import { tlbEngine } from './tlb-engine.ts';

const POLICIES = { lru: testLru, fifo: testFifo, rr: testRoundRobin };
/** From 32 MiB on by sections; each third section, and page 5, is global. Frames are 0x1000 pages higher. */
const mapped = (va: number): Omit<NaiveEntry, 'asid'> => {
  const bytes = va >= 2 ** 25 ? 2 ** 20 : 4096;
  const page = Math.floor(va / bytes);
  return { first: page * bytes, bytes, global: bytes === 4096 ? page === 5 : page % 3 === 0 };
};
const walker = testWalker((va) => {
  const { first, bytes, global } = mapped(va);
  return { pfn: first / 4096 + 0x1000, shift: Math.log2(bytes), flags: EVERYTHING | (global ? 8 : 0) };
});

type Step =
  | { readonly asid: number; readonly references: readonly TestReference[] }
  | { readonly scope: TlbScope; readonly asid: number; readonly startVpn: number; readonly endVpn: number };

const shape: fc.Arbitrary<NaiveShape> = fc.record({
  sets: fc.integer({ min: 1, max: 7 }),
  ways: fc.integer({ min: 1, max: 9 }),
  policy: fc.constantFrom('lru', 'fifo', 'rr'),
});
const address = fc
  .tuple(fc.nat(14), fc.nat(5), fc.constantFrom(0, 4, 2000, 4094))
  .map(([page, section, offset]) =>
    section > 2
      ? page * 4096 + offset
      : 2 ** 25 * (section + 1) + page * 2 ** 20 - (page % 2) * 2 + (offset % 1000),
  );
const reference = fc.tuple(
  fc.constantFrom(0, 1, 2, 3),
  address,
  fc.constantFrom(1, 4, 8, 32, 5000),
) as fc.Arbitrary<TestReference>;
const asid = fc.integer({ min: 1, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ asid, references: fc.array(reference, { maxLength: 40 }) }) },
  fc
    .tuple(fc.constantFrom('all', 'asid', 'va', 'va-all-asids'), asid, fc.nat(20), fc.nat(5))
    .map(([scope, holder, startVpn, pages]) => ({
      scope: scope as TlbScope,
      asid: holder,
      startVpn,
      endVpn: startVpn + pages,
    })),
);

describe('tlbEngine against lists', () => {
  it('counts the same on random geometries, page sizes, contexts and maintenance', () => {
    fc.assert(
      fc.property(
        shape,
        fc.option(shape, { nil: undefined }),
        fc.array(step, { maxLength: 25 }),
        (first, second, steps) => {
          const shifts = [12, 20];
          const structure = ({ sets, ways, policy }: NaiveShape) => ({
            entries: sets * ways,
            ways,
            replacement: POLICIES[policy],
            pageShifts: shifts,
          });
          const l2 = second && new NaiveTlb(second, shifts);
          const l1 = new NaiveTlb(first, shifts);
          const main = second === undefined ? {} : { second: structure(second) };
          const engine = tlbEngine(
            { cpus: 1, seed: 1, first: { unified: structure(first) }, ...main },
            walker,
          );
          const out = translatedBatch(4096);
          for (const order of steps) {
            if ('scope' in order) {
              const { scope, startVpn, endVpn } = order;
              const inRange = (entry: NaiveEntry): boolean =>
                entry.first < endVpn * 4096 && entry.first + entry.bytes > startVpn * 4096;
              for (const tlb of [l1, ...(l2 ? [l2] : [])])
                tlb.drop((entry) => {
                  if (scope === 'asid') return !entry.global && entry.asid === order.asid;
                  if (scope === 'all') return true;
                  return (
                    inRange(entry) && (scope === 'va-all-asids' || entry.global || entry.asid === order.asid)
                  );
                });
              engine.invalidate(0, order);
              continue;
            }
            for (const [kind, va, size] of order.references)
              for (let at = va; at < va + size;) {
                const page = { ...mapped(at), asid: order.asid };
                if (l1.use(at, order.asid, kind) === undefined) {
                  if (l2 !== undefined && l2.use(at, order.asid, kind) === undefined) l2.fill(page);
                  l1.fill(page);
                }
                at = page.first + page.bytes;
              }
            const batch = referencesBatch(order.references);
            out.count = 0;
            expect(engine.translate(0, { asid: order.asid, ttbr: 0 }, batch, 0, batch.count, out)).toBe(
              batch.count,
            );
            for (let i = 0; i < out.count; i++)
              if (out.kind[i] !== 4) expect(out.paLo[i]).toBe((out.vaLo[i] as number) + 0x1000000);
          }
          const counters = engine.counters(0);
          const said = Object.fromEntries(engine.counterNames.map((name, i) => [name, counters[i]]));
          for (const [name, tlb] of [
            ['tlb', l1],
            ['l2tlb', l2],
          ] as const) {
            if (tlb === undefined) continue;
            for (const letter of KINDS) {
              expect([name, letter, said[`${name}.lookups::${letter}`]]).toEqual([
                name,
                letter,
                tlb.lookups[letter] ?? 0,
              ]);
              expect([name, letter, said[`${name}.misses::${letter}`]]).toEqual([
                name,
                letter,
                tlb.misses[letter] ?? 0,
              ]);
            }
            expect([said[`${name}.evictions`], said[`${name}.flushed`]]).toEqual([
              tlb.evictions,
              tlb.flushed,
            ]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the first 20,000 references of /bin/true on ARM, through both engines', () => {
  const text = gunzipSync(readFileSync(new URL('./fixtures/true-arm-20k.lk.gz', import.meta.url))).toString();
  const batch: AccessBatch = accessBatch(40_000);
  for (const line of text.trimEnd().split('\n')) {
    const [va, size] = line.slice(3).split(',') as [string, string];
    const kind = Math.max(0, ' LSM'.indexOf(line[1] as string)) as AccessKind;
    // Every tenth is moved to a page boundary, some stores become modifies: ARM traces have few of them.
    const at = parseInt(va, 16);
    const moved = batch.count % 10 === 3 ? at - (at % 4096) + 4094 : at;
    pushAccess(batch, kind === 2 && batch.count % 3 === 0 ? 3 : kind, moved, Number(size));
  }
  const cache: CacheSpec = { sizeBytes: 4096, ways: 2, lineBytes: 32, replacement: testLru };
  const outer: CacheSpec = { sizeBytes: 65536, ways: 8, lineBytes: 64, replacement: testLru };

  const counted = (accounting: CacheAccounting, pageShift: number): Record<string, number> => {
    const tlb = tlbEngine(
      { cpus: 1, seed: 1, first: { unified: { entries: 8, replacement: testLru } } },
      testWalker((va) => ({
        pfn: Math.floor(va / 2 ** pageShift) * 2 ** (pageShift - 12),
        shift: pageShift,
      })),
    );
    const l1 = { instruction: cache, data: cache };
    const caches = cacheHierarchy({
      cpus: 1,
      seed: 1,
      l1,
      l2: { ...outer, shared: true },
      accounting,
      walks: 'memory',
    });
    const out: TranslatedBatch = translatedBatch(500);
    for (let next = 0; next < batch.count;) {
      out.count = 0;
      next = tlb.translate(0, { asid: 1, ttbr: 0 }, batch, next, batch.count, out);
      caches.run(0, out);
    }
    const names = caches.counterNames.map((name, i) => [name, caches.counters(0)[i] as number] as const);
    return Object.fromEntries(names.filter(([name]) => name !== 'memory.walkReads'));
  };

  it.each(['line', 'drcachesim', 'cachegrind', 'pycachesim'] as const)(
    '%s counts the same, whether references are cut at pages or not',
    (accounting) => {
      const cut = counted(accounting, 12);
      expect(cut).toEqual(counted(accounting, 32));
      expect(cut['dcache.misses::R']).toBeGreaterThan(100);
    },
  );
});
