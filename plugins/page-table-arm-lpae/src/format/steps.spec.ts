import { walkerOf, walkStepsOf } from '@tablewalk/architecture';
import { FaultKind, walkResult } from '@tablewalk/contracts';
import type { Registers, WalkResult } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armLpaeFormat } from './index.ts';

const TTBR = 0x8000_4000;
const TABLES = 0x8020_0000;
/** Tables of 4 KiB in which random entries find what random entries say. */
const TABLE_COUNT = 4;
const levelOf = (shift: number): number => (shift === 12 ? 3 : shift === 21 ? 2 : 1);

type Found = Omit<WalkResult, 'readPa'> & { readonly readPa: readonly number[] };

function inOneGo(registers: Registers, words: ReadonlyMap<number, number>, va: number): Found {
  const whole = walkResult();
  const memory = { read32: (pa: number): number => words.get(pa) ?? 0 };
  walkerOf(armLpaeFormat.regime(registers), 8, memory).walk(TTBR, va, 0, whole);
  return { ...whole, readPa: [...whole.readPa.subarray(0, whole.reads)] };
}

function stepByStep(registers: Registers, words: ReadonlyMap<number, number>, va: number): Partial<Found> {
  const steps = walkStepsOf(armLpaeFormat.regime(registers), 8, levelOf);
  const readPa: number[] = [];
  let level = 1;
  let meaning = steps.begin(TTBR, va);
  while (meaning.kind === 'table') {
    readPa.push(meaning.pa);
    level = meaning.level;
    meaning = steps.descend(meaning, va, words.get(meaning.pa) ?? 0, words.get(meaning.pa + 4) ?? 0);
  }
  const at = { level, reads: readPa.length, readPa, readBytes: 8 };
  if (meaning.kind === 'fault') return { ...at, fault: meaning.fault, status: meaning.status };
  const { pfn, pageShift, flags } = meaning;
  return { ...at, fault: FaultKind.none, status: 0, pfn, pageShift, flags };
}

const half = fc.integer({ min: 0, max: 0xffff_ffff });
const table = fc.tuple(fc.nat(TABLE_COUNT - 1), half).map(([number, high]) => {
  return [(TABLES + number * 4096) | 0b11, high & 0xffff_ff00] as const;
});
const any = fc.tuple(half, half).map(([lo, hi]) => [lo | 0x400, hi] as const);
const entry = fc.oneof({ arbitrary: table, weight: 3 }, { arbitrary: any, weight: 2 });

describe('the walk, a descriptor at a time', () => {
  it('finds what the walker finds, by the same reads, in random tables', () => {
    const kinds = { '1 GiB': 0, '2 MiB': 0, page: 0, fault1: 0, fault2: 0, fault3: 0, hole: 0 };
    const tables = fc.record({
      first: fc.array(entry, { minLength: 4, maxLength: 4 }),
      // A few slots of every table, so that addresses find them.
      others: fc.array(entry, { minLength: TABLE_COUNT * 4, maxLength: TABLE_COUNT * 4 }),
      t0sz: fc.nat(2),
      t1sz: fc.nat(2),
    });
    fc.assert(
      fc.property(tables, fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3))), (drawn, places) => {
        const words = new Map<number, number>();
        const put = (pa: number, [lo, hi]: readonly [number, number]): void => {
          words.set(pa, lo >>> 0).set(pa + 4, hi >>> 0);
        };
        drawn.first.forEach((each, i) => put(TTBR + i * 8, each));
        drawn.others.forEach((each, i) => put(TABLES + Math.floor(i / 4) * 4096 + (i % 4) * 8, each));
        const registers = {
          TTBCR: 0x8000_0000n | BigInt(drawn.t0sz) | (BigInt(drawn.t1sz) << 16n),
          TTBR0: 0n,
          TTBR1: BigInt(TABLES),
        };
        for (const [gib, block, page] of places) {
          const va = gib * 2 ** 30 + block * 2 ** 21 + page * 4096 + 0x123;
          const found = inOneGo(registers, words, va);
          expect(found).toMatchObject(stepByStep(registers, words, va));
          const kind =
            found.reads === 0
              ? 'hole'
              : found.fault !== 0
                ? `fault${found.level}`
                : found.pageShift === 12
                  ? 'page'
                  : found.pageShift === 21
                    ? '2 MiB'
                    : '1 GiB';
          kinds[kind as keyof typeof kinds] += 1;
        }
      }),
      { seed: 1, numRuns: 400 },
    );
    for (const [kind, count] of Object.entries(kinds)) expect(count, kind).toBeGreaterThan(20);
  });
});
