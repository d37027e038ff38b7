import {
  clearMmCpumask,
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
 * ARMv5 and before: the TLB cannot tell address spaces apart, so a switch invalidates both sides
 * (cpu_arm926_switch_mm, arch/arm/mm/proc-arm926.S). The mm leaves mm_cpumask when it is switched
 * out, which later lets a flush of it be skipped.
 */
export function noAsid(
  pageTable: PageTablePlugin,
  tlb: TlbPlugin,
  cache: CachePlugin,
  ioremap?: IoremapPlugin,
): AsidPlugin {
  return {
    asidOf: () => 0,
    *switchMm(context, next) {
      const { cpu } = context;
      yield* cache.switchMm(context);
      const ttbr = yield* read((view) => pageTable.ttbr(view, next), `pgd of mm ${next}`);
      const previous = yield* read((view) => view(cpusKey)[cpu]?.mm ?? 0);
      if (previous !== 0) yield* order(clearMmCpumask(previous, cpu));
      if (next !== 0) yield* order(setMmCpumask(next, cpu));
      yield* loadWithKernelEntries(ioremap, context, next, function* () {
        yield* order(switchContext(cpu, next, 0, ttbr));
        yield* order(tlb.invalidate(cpu, 'all', 0, 0, 0));
      });
    },
  };
}
