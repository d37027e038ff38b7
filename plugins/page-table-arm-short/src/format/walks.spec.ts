import { walkerOf, walkStepsOf } from '@tablewalk/architecture';
import { FaultKind, walkResult } from '@tablewalk/contracts';
import type { Registers, WalkResult } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armShortFormat } from './index.ts';

const TTBR0 = 0x8000_4000;
const TTBR1 = 0x8001_0000;
const TABLES = 0x8020_0000;
/** 1 KiB tables, in which random first-level descriptors find what random second-level ones say. */
const TABLE_COUNT = 4;

type Words = ReadonlyMap<number, number>;
type Found = Omit<WalkResult, 'readPa' | 'readBytes'> & { readonly readPa: readonly number[] };

function inOneGo(registers: Registers, words: Words, va: number): Found {
  const result = walkResult();
  walkerOf(armShortFormat.regime(registers), 4, { read32: (pa) => words.get(pa) ?? 0 }).walk(
    TTBR0,
    va,
    0,
    result,
  );
  const { readPa, readBytes: _bytes, ...rest } = result;
  return { ...rest, readPa: [...readPa.subarray(0, result.reads)] };
}

/** A walker that knows nothing of the format. */
function stepByStep(registers: Registers, words: Words, va: number): Partial<Found> {
  const steps = walkStepsOf(armShortFormat.regime(registers), 4, (shift) => (shift >= 20 ? 1 : 2));
  const readPa: number[] = [];
  let meaning = steps.begin(TTBR0, va);
  let level = 1;
  while (meaning.kind === 'table') {
    readPa.push(meaning.pa);
    level = meaning.level;
    meaning = steps.descend(meaning, va, words.get(meaning.pa) ?? 0, 0);
  }
  const at = { level, reads: readPa.length, readPa };
  if (meaning.kind === 'fault') return { ...at, fault: meaning.fault, status: meaning.status };
  const { pfn, pageShift, flags } = meaning;
  return { ...at, fault: FaultKind.none, status: 0, pfn, pageShift, flags };
}

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const typed = (type: number): fc.Arbitrary<number> => word.map((bits) => ((bits & ~0b11) | type) >>> 0);
const pointer = fc.tuple(fc.nat(TABLE_COUNT - 1), fc.nat(0x3ff)).map(([table, low]) => {
  return TABLES + table * 1024 + ((low & ~0b11) | 0b01);
});
const first = fc.oneof(typed(0b10), typed(0b11), typed(0b00), { arbitrary: pointer, weight: 3 });
const tables = fc.record({
  first: fc.array(fc.tuple(fc.nat(4095), first), { minLength: 1, maxLength: 6 }),
  second: fc.array(fc.tuple(fc.nat(TABLE_COUNT * 256 - 1), word), { maxLength: 12 }),
});
/** TTBCR with N, PD0 and PD1; AFE; every domain its own way; with PXN and without. */
const registers = fc
  .record({
    n: fc.nat(7),
    pd: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.nat(3)),
    afe: fc.boolean(),
  })
  .chain((chosen) => fc.tuple(fc.constant(chosen), word, fc.constantFrom(3n, 5n)))
  .map(([{ n, pd, afe }, dacr, vmsa]) => ({
    TTBCR: BigInt(n | (pd << 4)),
    TTBR1: BigInt(TTBR1),
    DACR: BigInt(dacr),
    SCTLR: afe ? 1n << 29n : 0n,
    ID_MMFR0: vmsa,
  }));

const kindOf = ({ fault, level, pageShift }: Found): string =>
  fault === FaultKind.none ? `leaf of 2^${pageShift}` : `fault ${fault} of level ${level}`;

describe('the walk, a descriptor at a time', () => {
  it('finds what the walker finds, by the same reads, in random tables under random registers', () => {
    const kinds = new Map<string, number>();
    fc.assert(
      fc.property(
        registers,
        tables,
        fc.nat(255),
        fc.nat(4095),
        (under, { first: l1, second: l2 }, page, offset) => {
          const lowTable = TTBR0 & (-1 << (14 - Number(under.TTBCR & 7n)));
          const words = new Map([
            ...l1.map(([entry, each]) => [(lowTable | (entry * 4)) >>> 0, each] as const),
            ...l1.map(([entry, each]) => [TTBR1 + entry * 4, each] as const),
            ...l2.map(([entry, each]) => [TABLES + entry * 4, each] as const),
          ]);
          // Pages that have an entry, and one that is drawn.
          for (const each of [page, ...l2.map(([entry]) => entry % 256)])
            for (const [entry] of l1) {
              const va = entry * 2 ** 20 + each * 4096 + offset;
              const found = inOneGo(under, words, va);
              expect(found).toMatchObject(stepByStep(under, words, va));
              kinds.set(kindOf(found), (kinds.get(kindOf(found)) ?? 0) + 1);
            }
        },
      ),
      { seed: 1, numRuns: 400 },
    );
    // Pages of four sizes, and translation, access flag and domain faults of both levels.
    const expected = [12, 16, 20, 24].map((shift) => `leaf of 2^${shift}`);
    for (const fault of [1, 2, 3])
      for (const level of [1, 2]) expected.push(`fault ${fault} of level ${level}`);
    expect([...kinds.keys()].sort()).toEqual(expected.sort());
    for (const [kind, count] of kinds) expect(count, kind).toBeGreaterThan(20);
  });
});
