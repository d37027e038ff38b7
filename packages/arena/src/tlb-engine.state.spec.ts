import { TrapKind } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { testRandom } from './policies.fixture.ts';
import {
  emptyPieces,
  machineWith,
  referencesBatch,
  shownPieces,
  tlbOf,
  unifiedTlb,
} from './test-walker.fixture.ts';
import type { TestReference, TestTlb } from './test-walker.fixture.ts';

const LOAD = 1;
const STORE = 2;
const MODIFY = 3;
const K = 4096;
const all = { scope: 'all', asid: 0, startVpn: 0, endVpn: 0 } as const;

describe('tlbEngine: watching, room, state', () => {
  it.each([1, 2])(
    'a watched entry traps once, at its first use, and no counter tells (%i levels)',
    (levels) => {
      const spec = unifiedTlb(tlbOf(2), levels === 1 ? {} : { second: tlbOf(8) });
      const work: TestReference[] = [
        [LOAD, 0x1000, 4],
        [LOAD, 0x2000, 4],
        [LOAD, 0x1ffe, 4],
        [STORE, 0x1000, 4],
      ];
      const plain = machineWith(spec);
      const watched = machineWith(spec);
      for (const one of [plain, watched]) one.run(work);
      expect(watched.engine.watch(0, 1, 2) + watched.engine.watchFrame(0, 0x101)).toBe(2 * levels);
      expect(watched.engine.watch(0, 9, 2)).toBe(0);
      const batch = referencesBatch(work);
      const out = emptyPieces();
      const traps: object[] = [];
      for (let next = 0; next < work.length;) {
        next = watched.engine.translate(0, { asid: 1, ttbr: 0x4000 }, batch, next, work.length, out);
        const { kind, vaLo, pfn } = watched.engine.trap;
        if (kind === TrapKind.watched) traps.push([vaLo, pfn]);
      }
      expect(traps).toEqual([
        [0x1000, 0x101],
        [0x2000, 0x102],
      ]);
      expect(shownPieces(out)).toEqual(plain.run(work));
      expect([...watched.engine.counters(0)]).toEqual([...plain.engine.counters(0)]);
    },
  );

  it('stops where the next access may not fit, and goes on there', () => {
    const { engine } = machineWith(unifiedTlb(tlbOf(4)));
    const batch = referencesBatch(
      Array.from({ length: 9 }, (_, i): TestReference => [MODIFY, 0x1ffe + (i % 2) * 64, 4]),
    );
    const shown: string[] = [];
    for (let next = 0; next < 9;) {
      const out = emptyPieces(14);
      const before = next;
      next = engine.translate(0, { asid: 1, ttbr: 0x4000 }, batch, next, 9, out);
      expect(next).toBeGreaterThan(before);
      shown.push(...shownPieces(out).filter((piece) => !piece.startsWith('W')));
    }
    expect(shown.length).toBe(5 * 4 + 4);
    const long = referencesBatch([[LOAD, 0x20001, 65535]]);
    expect(() => engine.translate(0, { asid: 1, ttbr: 0 }, long, 0, 1, emptyPieces(14))).toThrow(
      /does not fit/,
    );
  });

  it('CPUs are apart; seeds decide; a saved state goes on as the first did', () => {
    const random = { ...tlbOf(4), replacement: testRandom };
    const work = Array.from({ length: 200 }, (_, i): TestReference => [
      LOAD,
      ((i * i * 5) % 7) * K + 0x10000,
      4,
    ]);
    const make = (seed: number): TestTlb => machineWith(unifiedTlb(random, { seed, cpus: 2 }));
    const [first, second, third] = [make(1), make(1), make(2)];
    for (const one of [first, second, third]) one.run(work);
    expect(first.count('tlb.walks', 1)).toBe(0);
    expect(second.engine.digest()).toBe(first.engine.digest());
    expect(third.engine.digest()).not.toBe(first.engine.digest());
    third.engine.load(first.engine.save());
    for (const one of [first, third]) one.run(work);
    expect([third.engine.digest(), third.engine.outcomeWord(0)]).toEqual([
      first.engine.digest(),
      first.engine.outcomeWord(0),
    ]);
    expect(first.engine.invalidate(1, all)).toBe(0);
  });
});
