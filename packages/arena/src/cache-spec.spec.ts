import { ConfigError } from '@tablewalk/base';
import { describe, expect, it } from 'vitest';
import { cacheHierarchy } from './cache-hierarchy.ts';
import type { CacheHierarchySpec, CacheSpec } from './cache-spec.ts';
import { testLru } from './policies.fixture.ts';

const small: CacheSpec = { sets: 2, ways: 2, lineBytes: 32, replacement: testLru };
const split = (more: Partial<CacheHierarchySpec> = {}, l1: CacheSpec = small): unknown =>
  cacheHierarchy({ cpus: 1, seed: 1, l1: { instruction: l1, data: l1 }, ...more });

describe('a hierarchy that cannot be', () => {
  it.each<[string, Partial<CacheSpec>, RegExp]>([
    ['line', { lineBytes: 48 }, /a line of 48 bytes/],
    ['ways', { ways: 0 }, /0 ways/],
    ['sets', { sets: 3 }, /3 sets/],
    ['size', { sizeBytes: 100 }, /100 bytes are not/],
    ['no size', { sets: undefined as never }, /0 sets/],
    ['PIVT', { tag: 'va' }, /physically indexed, virtually tagged/],
    ['policy', { replacement: { ...testLru, refuses: () => 'no such ways' } }, /no such ways/],
    ['longer than L2', { lineBytes: 64 }, /over L2 lines of 32/],
  ])('refuses a geometry: %s', (_, change, message) => {
    const make = (): unknown => split({ l2: { ...small, shared: true } }, { ...small, ...change });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });

  it('refuses rules that do not go together, and line numbers that do not fit', () => {
    expect(() => split({ classify: true, accounting: 'drcachesim' })).toThrow(/classify with accounting/);
    expect(() => split({ writePolicy: 'write-through', accounting: 'cachegrind' })).toThrow(
      /write-through with/,
    );
    expect(() => split({ cpus: 0 })).toThrow(/0 CPUs/);
    expect(() => split({ paBits: 40 })).toThrow(/line numbers of 35 bits/);
  });
});
