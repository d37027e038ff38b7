import type { Fact } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { COSTS, tableCost } from './table.ts';
import type { CostName, CostTable } from './table.ts';

const defaults = Object.fromEntries(
  Object.entries(COSTS).map(([name, [cycles]]) => [name, cycles]),
) as CostTable;
const cost = tableCost(defaults);
const priceOf = (fact: object): number => cost.cyclesOf(fact as Fact);

/** spec/tlb-and-shootdown.md, 8. */
describe('cost-table', () => {
  it('names a source for every number', () => {
    for (const [cycles, source] of Object.values(COSTS)) {
      expect(cycles).toBeGreaterThanOrEqual(0);
      expect(source).toMatch(/spec\/tlb-and-shootdown\.md 8|TRM|chosen/);
    }
  });

  it('an IPI costs its sender, the target and the wait', () => {
    expect(priceOf({ type: 'IpiSent' })).toBe(150);
    expect(priceOf({ type: 'IpiDelivered' })).toBe(600);
    expect(priceOf({ type: 'IpiAcknowledged' })).toBe(100);
    expect(cost.ipiDeliveryCycles).toBe(700);
  });

  it('an invalidation by address costs for each page, one of everything costs once', () => {
    const invalidated = (scope: string, endVpn: number): number =>
      priceOf({ type: 'TlbInvalidated', scope, startVpn: 8, endVpn });
    expect([invalidated('va', 9), invalidated('va', 18), invalidated('va-all-asids', 10)]).toEqual([
      4, 40, 8,
    ]);
    expect([invalidated('asid', 0), invalidated('all', 0)]).toEqual([4, 4]);
  });

  it('what has no price is free', () => {
    expect(priceOf({ type: 'ProcessCreated', mm: 1, name: 'a' })).toBe(0);
  });

  it('weighs counters by what their names say', () => {
    const weightOf = (name: string): number => cost.weights([name])[0] as number;
    const names = {
      'icache.accesses::I': 'hit',
      'dcache.misses::R': 'l1Miss',
      'l2cache.misses::R': 'l2Miss',
      'dcache.writebacks': 'writeBack',
      'l2tlb.lookups::L': 'mainTlbHit',
      'tlb.walkReads': 'walkRead',
    } as const satisfies Record<string, CostName>;
    for (const [name, entry] of Object.entries(names)) expect(weightOf(name), name).toBe(defaults[entry]);
    // A write that misses the L2 is not waited for; hits of a first-level TLB are part of the access.
    expect(['l2cache.misses::W', 'itlb.lookups::I', 'tlb.walks'].map(weightOf)).toEqual([0, 0, 0]);
  });
});
