import { assert } from '@tablewalk/base';
import type { CachePlugin, KernelTables, ShootdownPlugin, Slots } from '@tablewalk/contracts';

/** What every ioremap policy works with. */
export interface VmallocDeps {
  readonly kernel: KernelTables;
  readonly cache: CachePlugin;
  /** flush_tlb_kernel_range. */
  readonly flushTlbKernelRange: NonNullable<ShootdownPlugin['flushTlbKernelRange']>;
}

/** From the slots `page-table`, `cache` and `shootdown`, whose facets the manifest has asked for. */
export function vmallocDeps(slots: Pick<Slots, 'page-table' | 'cache' | 'shootdown'>): VmallocDeps {
  const { cache, shootdown } = slots;
  const { kernel } = slots['page-table'];
  assert(kernel !== undefined, 'the page-table plugin has facet vmalloc, and no kernel tables');
  return {
    kernel,
    cache,
    flushTlbKernelRange(context, startVpn, endVpn) {
      const flush = shootdown.flushTlbKernelRange?.(context, startVpn, endVpn);
      assert(flush !== undefined, 'the shootdown plugin has facet kernel-ranges, and no flushTlbKernelRange');
      return flush;
    },
  };
}
