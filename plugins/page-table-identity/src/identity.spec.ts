import { PageFlag, walkResult } from '@tablewalk/contracts';
import type { WalkResult } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { identityPageTable } from './identity.ts';

const walkAt = (config: Parameters<typeof identityPageTable>[0], va: number): WalkResult => {
  const result = walkResult();
  const walker = identityPageTable(config).walker({ read32: () => 0 });
  walker.walk(0, va % 2 ** 32, Math.floor(va / 2 ** 32), result);
  return result;
};
const plain = { vaBits: 48, pageSize: 4096, sections: [], global: [] };

describe('page-table-identity', () => {
  it('takes an address to itself, without a read, at any width', () => {
    for (const va of [0, 0xffff_f123, 0x1f_ffff_e008]) {
      const { pfn, pageShift, reads, status } = walkAt(plain, va);
      expect([pfn, pageShift, reads, status]).toEqual([Math.floor(va / 4096), 12, 0, 0]);
    }
  });

  it('answers the first frame of the page that holds the address, whatever its size', () => {
    expect(walkAt({ ...plain, pageSize: 65536 }, 0x2_5678)).toMatchObject({ pfn: 0x20, pageShift: 16 });
    const sections = [{ start: 0x10_0000, end: 0x30_0000 }];
    expect(walkAt({ ...plain, sections }, 0x2f_ffff)).toMatchObject({ pfn: 0x200, pageShift: 20 });
    expect(walkAt({ ...plain, sections }, 0x30_0000)).toMatchObject({ pfn: 0x300, pageShift: 12 });
  });

  it('is global where it is told to be', () => {
    const global = [{ start: 0x8000, end: 0x9000 }];
    expect(walkAt({ ...plain, global }, 0x8fff).flags & PageFlag.global).toBe(PageFlag.global);
    expect(walkAt({ ...plain, global }, 0x9000).flags & PageFlag.global).toBe(0);
  });
});
