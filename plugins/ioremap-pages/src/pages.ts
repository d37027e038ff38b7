import type { IoremapPlugin } from '@tablewalk/contracts';
import { deviceMappings } from '@tablewalk/vmalloc';
import type { VmallocDeps } from '@tablewalk/vmalloc';

/**
 * What Linux does on SMP: no sections (spec/ioremap.md, 2.2; the thread "Why does unmap_area_sections()
 * depend on !CONFIG_SMP?", 2013). A page of second-level tables, once there, stays for ever and is common to all
 * address spaces: what is set and cleared in it is so for all of them at once. Only a new first-level word
 * has to spread, and does so by lazy faults; it is an addition, and no TLB holds what gives a fault.
 */
export const pages = (deps: VmallocDeps): IoremapPlugin => ({
  ...deviceMappings(deps),
  // Nothing to bring up to date: no first-level word of vmalloc space is ever changed or taken away.
  *checkVmallocSeq() {},
});
