import { FaultKind, PageFlag, TrapKind } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { EVERYTHING, emptyPieces, machineWith, referencesBatch, shownPieces } from './test-walker.fixture.ts';
import { testWalker, tlbOf, unifiedTlb } from './test-walker.fixture.ts';
import type { TestMapping, TestTlb } from './test-walker.fixture.ts';
import type { ExactTlbEngine } from './tlb-engine.ts';

const FETCH = 0;
const LOAD = 1;
const STORE = 2;
const MODIFY = 3;
const K = 4096;

const trapOf = ({ trap }: ExactTlbEngine) => ({ ...trap });

describe('tlbEngine', () => {
  it('walks at a miss, before the access, and hits then', () => {
    const { engine, count } = machineWith(unifiedTlb(tlbOf(2)));
    const out = emptyPieces();
    const batch = referencesBatch([
      [LOAD, 0x1004, 4],
      [STORE, 0x1008, 8],
    ]);
    expect(engine.translate(0, { asid: 1, ttbr: 0x4000 }, batch, 0, 2, out)).toBe(2);
    expect(shownPieces(out)).toEqual([
      'W 4000>4000 4',
      'W 5000>5000 4',
      'L 1004>101004 4',
      'S 1008>101008 8',
    ]);
    expect([count('tlb.lookups::L'), count('tlb.lookups::S'), count('tlb.misses::L')]).toEqual([1, 1, 1]);
    expect([count('tlb.walks'), count('tlb.walkReads'), count('tlb.misses::S')]).toEqual([1, 2, 0]);
  });

  it('cuts at pages of the mapping; a modify across pages loads all, then stores all', () => {
    const { run, count } = machineWith(unifiedTlb(tlbOf(8)));
    expect(run([[MODIFY, 0x1ffc, 8]])).toEqual([
      'L 1ffc>101ffc 4',
      'L+ 2000>102000 4',
      'S* 1ffc>101ffc 4',
      'S+* 2000>102000 4',
    ]);
    expect(
      run([
        [MODIFY, 0x1010, 8],
        [LOAD, 0x200ffc, 8],
      ]),
    ).toEqual(['M 1010>101010 8', 'L 200ffc>40200ffc 8']);
    expect([count('tlb.lookups::M'), count('tlb.misses::M'), count('tlb.lookups::L')]).toEqual([3, 2, 1]);
    const long = run([[LOAD, 0x20000, 3 * K + 1]]);
    expect(long.map((piece) => piece.split(' ')[2])).toEqual(['4096', '4096', '4096', '1']);
  });

  it('evicts by policy, counts only valid victims', () => {
    const { run, count, engine } = machineWith(unifiedTlb(tlbOf(2)));
    run([0x1000, 0x2000, 0x1000, 0x3000, 0x1000, 0x2000].map((va) => [LOAD, va, 4]));
    expect([count('tlb.misses::L'), count('tlb.evictions')]).toEqual([4, 2]);
    expect(engine.validEntries(0)).toEqual({ tlb: 2 });
  });

  it('sets: any number of them, one probe for each page size, larger mappings cut to what fits', () => {
    const three = machineWith(unifiedTlb(tlbOf(6, 2)));
    three.run([0x1000, 0x4000, 0x7000, 0x2000].map((va) => [LOAD, va, 4]));
    expect([three.count('tlb.evictions'), three.count('tlb.misses::L')]).toEqual([1, 4]); // one set
    const mixed = machineWith(unifiedTlb(tlbOf(8, 2, [12, 20])));
    mixed.run([0x1000, 0x200000, 0x2ff000, 0x1004].map((va) => [LOAD, va, 4]));
    expect(mixed.count('tlb.misses::L')).toBe(2);
    const cut = machineWith(unifiedTlb(tlbOf(8, 8, [12])));
    expect(
      cut.run([
        [LOAD, 0x2ffffc, 4],
        [LOAD, 0x200000, 4],
      ]),
    ).toEqual(['L 2ffffc>402ffffc 4', 'L 200000>40200000 4']);
    expect(cut.count('tlb.misses::L')).toBe(2);
    expect(() => machineWith(unifiedTlb(tlbOf(8, 8, [20]))).run([[LOAD, 0x1000, 4]])).toThrow(
      /TLB_PAGE_SIZE/,
    );
  });

  it('ASIDs keep entries apart, global ones match under all; each scope invalidates what it names', () => {
    const global = (va: number): TestMapping => ({
      pfn: Math.floor(va / K),
      flags: EVERYTHING | (va >= 0x4000 ? PageFlag.global : 0),
    });
    const fresh = (): TestTlb => {
      const one = machineWith(unifiedTlb(tlbOf(8)), testWalker(global));
      for (const asid of [1, 2])
        one.run(
          [
            [LOAD, 0x1000, 4],
            [LOAD, 0x2000, 4],
            [LOAD, 0x4000, 4],
          ],
          asid,
        );
      return one;
    };
    expect(fresh().count('tlb.misses::L')).toBe(5);
    const order = { asid: 2, startVpn: 1, endVpn: 2 };
    const gone = (['all', 'asid', 'va', 'va-all-asids'] as const).map((scope) => {
      const { engine, count } = fresh();
      const went = engine.invalidate(0, { ...order, scope });
      expect(count('tlb.flushed')).toBe(went);
      expect(engine.validEntries(0)['tlb']).toBe(5 - went);
      return went;
    });
    expect(gone).toEqual([5, 2, 1, 2]);
    expect(fresh().engine.invalidate(0, { scope: 'va', asid: 9, startVpn: 4, endVpn: 5 })).toBe(1);
  });

  it('a fault is never held; a missing permission is, and faults at every hit', () => {
    const { engine, run, count } = machineWith(unifiedTlb(tlbOf(4)));
    for (const walks of [1, 2]) {
      expect(
        run([
          [LOAD, 0x1000, 4],
          [FETCH, 0x8010, 4],
          [LOAD, 0x1000, 4],
        ]),
      ).toEqual(['L 1000>101000 4']);
      expect(count('tlb.walks')).toBe(walks + 1);
    }
    const at8010 = { kind: TrapKind.fault, vaLo: 0x8010, vaHi: 0, pfn: 0, level: 2 };
    expect(trapOf(engine)).toEqual({
      ...at8010,
      fault: FaultKind.translation,
      status: 7,
      write: false,
      fetch: true,
    });
    for (let again = 0; again < 2; again++) {
      expect(
        run([
          [LOAD, 0x9000, 4],
          [MODIFY, 0x9004, 4],
        ]),
      ).toEqual(['L 9000>109000 4']);
      expect(trapOf(engine)).toMatchObject({
        fault: FaultKind.permission,
        status: 0x0e,
        vaLo: 0x9004,
        write: true,
      });
      expect(count('tlb.walks')).toBe(4);
    }
    // The second page of a reference: the trap names it, the first leaves no piece.
    expect(run([[STORE, 0x7ffe, 4]])).toEqual([]);
    expect(trapOf(engine)).toMatchObject({ vaLo: 0x8000, write: true, fetch: false });
  });

  it('two levels: filled together, looked up in turn, independent afterwards', () => {
    const { run, count, engine } = machineWith({
      ...unifiedTlb(tlbOf(1)),
      first: { instruction: tlbOf(1), data: tlbOf(1) },
      second: tlbOf(4, 2),
    });
    run([
      [LOAD, 0x1000, 4],
      [FETCH, 0x1000, 4],
      [LOAD, 0x2000, 4],
      [LOAD, 0x1000, 4],
    ]);
    expect([count('dtlb.misses::L'), count('itlb.misses::I')]).toEqual([3, 1]);
    expect([count('l2tlb.lookups::L'), count('l2tlb.lookups::I'), count('l2tlb.misses::L')]).toEqual([
      3, 1, 2,
    ]);
    expect(count('tlb.walks')).toBe(2);
    expect(engine.validEntries(0)).toEqual({ itlb: 1, dtlb: 1, l2tlb: 2 });
  });

  it('separate TLBs for loads and stores: a modify goes to the one for stores', () => {
    const first = { instruction: tlbOf(2), load: tlbOf(2), store: tlbOf(2) };
    const { run, count } = machineWith({ ...unifiedTlb(tlbOf(1)), first });
    run([
      [LOAD, 0x1000, 4],
      [STORE, 0x1000, 4],
      [MODIFY, 0x1000, 4],
    ]);
    const names = ['loadtlb.misses::L', 'storetlb.misses::S', 'storetlb.lookups::M', 'storetlb.misses::M'];
    expect(names.map((name) => count(name))).toEqual([1, 1, 1, 0]);
  });

  it('microFlush: maintenance and a change of context empty the first level', () => {
    const { run, count, engine } = machineWith(unifiedTlb(tlbOf(4), { second: tlbOf(8), microFlush: true }));
    run([
      [LOAD, 0x1000, 4],
      [LOAD, 0x2000, 4],
    ]);
    run([[LOAD, 0x1000, 4]]);
    expect(engine.validEntries(0)).toEqual({ tlb: 2, l2tlb: 2 });
    run([[LOAD, 0x1000, 4]], 2);
    expect(engine.validEntries(0)).toEqual({ tlb: 1, l2tlb: 3 });
    expect(engine.invalidate(0, { scope: 'va', asid: 1, startVpn: 2, endVpn: 3 })).toBe(2);
    expect(count('tlb.flushed')).toBe(3);
    expect(() => machineWith(unifiedTlb(tlbOf(4), { microFlush: true }))).toThrow(/without a second level/);
  });
});
