import { FaultKind, PageFlag } from '@tablewalk/contracts';
import type { PageTablePlugin, Walker } from '@tablewalk/contracts';

/**
 * VA = PA, for pure TLB and cache studies: every walk succeeds, reads nothing, and grants everything.
 * Ranges may be mapped by sections or be global, so that such entries can be studied too.
 */
export interface IdentityConfig {
  readonly vaBits: number;
  /** Bytes that one entry covers, a power of two. */
  readonly pageSize: number;
  /** Virtual ranges `[start, end)` mapped by 1 MiB sections. */
  readonly sections: readonly Range[];
  /** Virtual ranges `[start, end)` whose entries match under every ASID. */
  readonly global: readonly Range[];
}
export interface Range {
  readonly start: number;
  readonly end: number;
}

export function identityPageTable(config: IdentityConfig): PageTablePlugin {
  const pageShift = Math.log2(config.pageSize);
  const walker: Walker = {
    walk(_ttbr, vaLo, vaHi, result) {
      const va = vaHi * 2 ** 32 + vaLo;
      const shift = within(config.sections, va) ? 20 : pageShift;
      result.status = 0;
      result.fault = FaultKind.none;
      result.level = 0;
      result.reads = 0;
      result.pageShift = shift;
      result.pfn = Math.floor(va / 2 ** shift) * 2 ** (shift - 12);
      result.flags = EVERYTHING | (within(config.global, va) ? PageFlag.global : 0);
    },
    permissionStatus: () => 0,
  };
  return {
    vaBits: config.vaBits,
    taskSize: 2 ** config.vaBits,
    walker: () => walker,
    ttbr: () => 0,
    // Nothing is ever unmapped here, so there is nothing to look up or clear.
    lookup: () => undefined,
    hasTable: () => true,
    *populate() {
      return true;
    },
    *setPte() {},
    *clearPte() {
      return undefined;
    },
    *clearYoung() {
      return false;
    },
    mappedPages: () => [],
  };
}

const EVERYTHING = PageFlag.write | PageFlag.execute | PageFlag.user;

const within = (ranges: readonly Range[], va: number): boolean => {
  for (const { start, end } of ranges) if (va >= start && va < end) return true;
  return false;
};
