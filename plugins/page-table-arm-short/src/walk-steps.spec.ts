import { FaultKind, walkResult } from '@tablewalk/contracts';
import type { WalkResult } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortWalker } from './descriptors.ts';
import { shortWalkSteps } from './walk-steps.ts';

const TTBR = 0x8000_4000;
const TABLES = 0x8020_0000;
/** 1 KiB tables, in which random first-level descriptors find what random second-level ones say. */
const TABLE_COUNT = 4;

type Found = Omit<WalkResult, 'readPa' | 'readBytes'> & { readonly readPa: readonly number[] };

function inOneGo(words: ReadonlyMap<number, number>, va: number): Found {
  const { readPa, readBytes, ...result } = walkResult();
  const whole = { ...result, readPa, readBytes };
  shortWalker({ read32: (pa) => words.get(pa) ?? 0 }).walk(TTBR, va, 0, whole);
  const { readBytes: _bytes, ...rest } = whole;
  return { ...rest, readPa: [...readPa.subarray(0, whole.reads)] };
}

/** A walker that knows nothing of the format. */
function stepByStep(words: ReadonlyMap<number, number>, va: number): Partial<Found> {
  const readPa: number[] = [];
  let level = 0;
  let meaning = shortWalkSteps.begin(TTBR, va);
  while (meaning.kind === 'table') {
    readPa.push(meaning.pa);
    level = meaning.level;
    meaning = shortWalkSteps.descend(meaning, va, words.get(meaning.pa) ?? 0, 0);
  }
  const at = { level, reads: readPa.length, readPa };
  if (meaning.kind === 'fault') return { ...at, fault: meaning.fault, status: meaning.status };
  const { pfn, pageShift, flags } = meaning;
  return { ...at, fault: FaultKind.none, status: 0, pfn, pageShift, flags };
}

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const typed = (type: number): fc.Arbitrary<number> => word.map((bits) => ((bits & ~0b11) | type) >>> 0);
const first = fc.oneof(
  typed(0b10),
  typed(0b11),
  typed(0b00),
  fc.tuple(fc.nat(TABLE_COUNT - 1), fc.nat(0x3ff)).map(([table, low]) => {
    return TABLES + table * 1024 + ((low & ~0b11) | 0b01);
  }),
);
const tables = fc.record({
  first: fc.array(fc.tuple(fc.nat(4095), first), { minLength: 1, maxLength: 6 }),
  second: fc.array(fc.tuple(fc.nat(TABLE_COUNT * 256 - 1), word), { maxLength: 12 }),
});

describe('the walk, a descriptor at a time', () => {
  it('finds what the walker finds, by the same reads, in random tables', () => {
    const kinds = { section: 0, page: 0, fault1: 0, fault2: 0 };
    fc.assert(
      fc.property(tables, fc.nat(255), fc.nat(4095), ({ first: l1, second: l2 }, page, offset) => {
        const words = new Map([
          ...l1.map(([entry, each]) => [TTBR + entry * 4, each] as const),
          ...l2.map(([entry, each]) => [TABLES + entry * 4, each] as const),
        ]);
        // Pages that have an entry, and one that is drawn.
        const pages = [page, ...l2.map(([entry]) => entry % 256)];
        for (const [entry] of [...l1, [(l1[0]?.[0] ?? 0) ^ 1] as const])
          for (const each of pages) {
            const va = entry * 2 ** 20 + each * 4096 + offset;
            const found = inOneGo(words, va);
            expect(found).toMatchObject(stepByStep(words, va));
            const kind = found.fault === 0 ? (found.level === 1 ? 'section' : 'page') : `fault${found.level}`;
            kinds[kind as keyof typeof kinds] += 1;
          }
      }),
      { seed: 1, numRuns: 300 },
    );
    for (const [kind, count] of Object.entries(kinds)) expect(count, kind).toBeGreaterThan(20);
  });

  it('a permission fault is of the level that the entry came from', () => {
    const walker = shortWalker({ read32: () => 0 });
    for (const pageShift of [12, 20]) {
      const { status, level } = shortWalkSteps.permission(pageShift);
      expect(status).toBe(walker.permissionStatus(level));
    }
  });
});
