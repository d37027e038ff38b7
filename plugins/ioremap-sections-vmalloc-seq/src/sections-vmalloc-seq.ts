import { cpusKey, read } from '@tablewalk/contracts';
import type { FramesPlugin, IoremapPlugin, ProgramContext, Routine } from '@tablewalk/contracts';
import { catchUp, deviceMappings, incrementVmallocSeq } from '@tablewalk/vmalloc';
import type { VmallocDeps } from '@tablewalk/vmalloc';

/**
 * Sections in init_mm's first level, and a number by which every other first level knows that it is behind
 * (Linux 2.6.39 arch/arm/mm/ioremap.c, remap_area_sections, unmap_area_sections, __check_kvm_seq;
 * spec/ioremap.md, 2.1, 2.3, 2.4). Tables that are behind are copied when they are switched to, before TTBR0
 * is loaded.
 *
 * Assumes one CPU. Where another runs on meanwhile, nothing makes it switch, and its first level goes on
 * leading to the old device: no fault comes, for the old word is valid (spec/ioremap.md, 3, scenario IO-1).
 */
export function sectionsVmallocSeq(frames: FramesPlugin, deps: VmallocDeps): IoremapPlugin {
  const { kernel, cache, flushTlbKernelRange } = deps;
  const { pmdSize } = kernel;

  /** remap_area_sections. No increment for what is added: lazy faults spread it. */
  function* remapAreaSections(context: ProgramContext, va: number, pa: number, bytes: number): Routine {
    yield* unmapAreaSections(context, va, bytes);
    for (let done = 0; done < bytes; done += pmdSize)
      yield* kernel.setSections(context, va + done, pa + done);
  }

  function* unmapAreaSections(context: ProgramContext, va: number, bytes: number): Routine {
    yield* cache.flushKmaps(context); // (1) flush_cache_vunmap
    for (let each = va; each < va + bytes; each += pmdSize) {
      const none = yield* read((view) => Number(kernel.entry(view, each) === 'none'), "init_mm's word");
      if (none === 1) continue;
      const table = yield* kernel.clearPmd(context, each); // (2a)
      yield* incrementVmallocSeq(); // (2b)
      if (table !== undefined) yield* frames.free(table); // (2c) pte_free_kernel
    }
    // (3) A use after iounmap by this very task faults at once.
    const activeMm = yield* read((view) => view(cpusKey)[context.cpu]?.mm ?? 0, 'active_mm');
    yield* catchUp(kernel, context, activeMm);
    yield* flushTlbKernelRange(context, va / 4096, (va + bytes) / 4096); // (4)
  }

  return {
    ...deviceMappings(deps, { remap: remapAreaSections, unmap: unmapAreaSections }),
    checkVmallocSeq: (context, mm) => catchUp(kernel, context, mm),
  };
}
