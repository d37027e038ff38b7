import { CodedError } from '@tablewalk/base';
import {
  cpusKey,
  loadWithKernelEntries,
  order,
  read,
  setMmCpumask,
  switchContext,
} from '@tablewalk/contracts';
import type {
  AsidPlugin,
  CachePlugin,
  IoremapPlugin,
  PageTablePlugin,
  TlbPlugin,
} from '@tablewalk/contracts';

/**
 * One ASID for each address space, for ever: what the 8-bit CONTEXTIDR gives before it rolls over
 * (arch/arm/mm/context.c). More than 255 address spaces need an allocator with generations.
 *
 * `onSwitch` says what else a context switch does: nothing; invalidate the whole TLB of the CPU; or
 * invalidate the entries of the ASID that leaves.
 */
export interface FixedConfig {
  readonly onSwitch: 'keep' | 'flush' | 'flush-asid';
}

const ASIDS = 255;

export function fixedAsid(
  config: FixedConfig,
  pageTable: PageTablePlugin,
  tlb: TlbPlugin,
  cache: CachePlugin,
  ioremap?: IoremapPlugin,
): AsidPlugin {
  const asidOf = (mm: number): number => {
    if (mm <= ASIDS) return mm;
    throw new CodedError('ASID_EXHAUSTED', {
      what: `address space ${mm} has no ASID left`,
      why: 'asid-fixed never takes one back, and CONTEXTIDR holds 8 bits',
      fix: 'run at most 255 processes, or use an allocator with generations',
    });
  };
  return {
    asidOf: (_view, mm) => asidOf(mm),
    *switchMm(context, next) {
      const { cpu } = context;
      yield* cache.switchMm(context);
      if (next !== 0) yield* order(setMmCpumask(next, cpu));
      if (config.onSwitch === 'flush') yield* order(tlb.invalidate(cpu, 'all', 0, 0, 0));
      if (config.onSwitch === 'flush-asid') {
        const asid = yield* read((view) => view(cpusKey)[cpu]?.asid ?? 0);
        yield* order(tlb.invalidate(cpu, 'asid', asid, 0, 0));
      }
      yield* loadWithKernelEntries(ioremap, context, next, function* () {
        const ttbr = yield* read((view) => pageTable.ttbr(view, next), `pgd of mm ${next}`);
        yield* order(switchContext(cpu, next, asidOf(next), ttbr));
      });
    },
  };
}
