import { FaultKind, walkResult } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { shortWalker, shortWalkSteps } from './linux-walks.ts';

/** One section at 0 in this domain, for PL0 and PL1. */
function faultInDomain(domain: number): number {
  const result = walkResult();
  shortWalker({ read32: () => (0x8010_0c02 | (domain << 5)) >>> 0 }).walk(0x8000_4000, 0, 0, result);
  return result.fault;
}

describe('walks under the registers of Linux', () => {
  it('checks permissions in domains kernel, user and IO, and has no others', () => {
    const faults = Array.from({ length: 16 }, (_, domain) => faultInDomain(domain));
    expect(faults).toEqual([0, 0, 0, ...Array.from({ length: 13 }, () => FaultKind.domain)]);
  });

  it('a permission fault is of the level that the entry came from', () => {
    const walker = shortWalker({ read32: () => 0 });
    expect([12, 16, 20, 24].map((shift) => shortWalkSteps.permission(shift))).toEqual([
      { status: 0b01111, level: 2 },
      { status: 0b01111, level: 2 },
      { status: 0b01101, level: 1 },
      { status: 0b01101, level: 1 },
    ]);
    for (const shift of [12, 20]) {
      const { status, level } = shortWalkSteps.permission(shift);
      expect(status).toBe(walker.permissionStatus(level));
    }
  });
});
