import { read } from '@tablewalk/contracts';
import type { IoremapPlugin, ProgramContext, Routine } from '@tablewalk/contracts';
import { areasComponent, commitArea, deviceAt, findArea, freeArea, reserveArea } from './areas.ts';
import type { VmallocDeps } from './deps.ts';

/** How a policy makes and ends a mapping by sections. */
export interface SectionPolicy {
  /** remap_area_sections. */
  remap(context: ProgramContext, va: number, pa: number, bytes: number): Routine;
  /** unmap_area_sections: when it ends, the range may be used again. */
  unmap(context: ProgramContext, va: number, bytes: number): Routine;
}

/** What a policy does about words that mappings by pages add to init_mm's first level, where it does something. */
export interface AdditionPolicy {
  /** arch_sync_kernel_mappings, once for a range to which words were added. */
  sync(): Routine;
  /** Is it called as well where the mapping fails after that? */
  readonly syncOnError: boolean;
}

type Mappings = Required<Pick<IoremapPlugin, 'component' | 'ioremap' | 'iounmap' | 'deviceAt'>>;

/**
 * __arm_ioremap_pfn_caller and __iounmap (arch/arm/mm/ioremap.c; spec/ioremap.md, 2 and 6), with or without a
 * way to map by sections. Not modelled: static mappings, supersections, the refusal of RAM, memory types.
 */
export function deviceMappings(
  deps: VmallocDeps,
  sections?: SectionPolicy,
  additions?: AdditionPolicy,
): Mappings {
  const { kernel, cache, flushTlbKernelRange } = deps;
  const { pmdSize } = kernel;

  /** A page after the other; first-level words are new in init_mm alone (spec/ioremap.md, 2.2). */
  function* mapPages(context: ProgramContext, va: number, pa: number, bytes: number): Routine<boolean> {
    const { added, failed } = yield* populateRange(context, va, bytes);
    if (failed) {
      if (added && additions?.syncOnError === true) yield* additions.sync();
      return false;
    }
    for (let done = 0; done < bytes; done += PAGE)
      yield* kernel.setPte(context, va + done, (pa + done) / PAGE);
    if (added && additions !== undefined) yield* additions.sync();
    return true;
  }

  /** Second-level tables for a range; pte_alloc_kernel_track, where additions are counted. */
  function* populateRange(
    context: ProgramContext,
    va: number,
    bytes: number,
  ): Routine<{ readonly added: boolean; readonly failed: boolean }> {
    let added = false;
    for (let pair = va - (va % pmdSize); pair < va + bytes; pair += pmdSize) {
      if (additions !== undefined) {
        const none = yield* read((view) => Number(kernel.entry(view, pair) === 'none'), "init_mm's word");
        if (none === 0) continue;
      }
      if (!(yield* kernel.populate(context, pair))) return { added, failed: true };
      added = true;
    }
    return { added, failed: false };
  }

  /** vunmap: the tables stay, for the next mapping. */
  function* unmapPages(context: ProgramContext, va: number, bytes: number): Routine {
    yield* cache.flushKmaps(context); // flush_cache_vunmap
    for (let done = 0; done < bytes; done += PAGE) yield* kernel.clearPte(context, va + done);
    yield* flushTlbKernelRange(context, va / PAGE, (va + bytes) / PAGE);
  }

  return {
    component: areasComponent(kernel),
    deviceAt,

    *ioremap(context, pa, bytes) {
      if (!(yield* kernel.boot(context))) return undefined;
      const offset = pa % PAGE;
      const [first, size] = [pa - offset, Math.ceil((offset + bytes) / PAGE) * PAGE];
      const bySections = sections !== undefined && first % pmdSize === 0 && size % pmdSize === 0;
      const va = yield* reserveArea(first, size, bySections ? pmdSize : PAGE, bySections);
      if (va === undefined) return undefined;
      if (bySections) yield* sections.remap(context, va, first, size);
      else if (!(yield* mapPages(context, va, first, size))) {
        yield* freeArea(context.cpu, va);
        return undefined;
      }
      yield* commitArea(context.cpu, va);
      return va + offset;
    },

    *iounmap(context, va) {
      const first = va - (va % PAGE);
      const area = yield* findArea(first);
      if (area === undefined) return;
      if (area.sections && sections !== undefined) yield* sections.unmap(context, first, area.bytes);
      else yield* unmapPages(context, first, area.bytes);
      yield* freeArea(context.cpu, first);
    },
  };
}

const PAGE = 4096;
