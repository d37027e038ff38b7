import type {
  CacheOperation,
  CachePlugin,
  DmaDirection,
  DmaPlugin,
  KmapPlugin,
  ProgramContext,
  Routine,
} from '@tablewalk/contracts';

/**
 * What a page's lines need, by core and direction (spec/caches-and-dma.md, 4.1, whose rows these are). A core
 * that fills no line speculatively needs nothing when the transfer is over: nobody has touched the lines.
 */
type Operations = Readonly<Record<DmaDirection, CacheOperation | undefined>>;
const NOTHING: Operations = { 'to-device': undefined, 'from-device': undefined, bidirectional: undefined };
const AFTER_SPECULATION: Operations = {
  ...NOTHING,
  'from-device': 'invalidate',
  bidirectional: 'invalidate',
};
const ROWS = {
  // proc-arm926.S, arm926_dma_map_area.
  arm926: {
    map: { 'to-device': 'clean', 'from-device': 'invalidate', bidirectional: 'clean-invalidate' },
    unmap: NOTHING,
  },
  // cache-v6.S and cache-v7.S, v7_dma_map_area and v7_dma_unmap_area.
  v6: {
    map: { 'to-device': 'clean', 'from-device': 'invalidate', bidirectional: 'clean' },
    unmap: AFTER_SPECULATION,
  },
  v7: {
    map: { 'to-device': 'clean', 'from-device': 'invalidate', bidirectional: 'clean' },
    unmap: AFTER_SPECULATION,
  },
  // arm64 since commit c50f11c6196f (5.19): an invalidation would show the device's reader an earlier owner's data.
  arm64: {
    map: { 'to-device': 'clean', 'from-device': 'clean', bidirectional: 'clean' },
    unmap: AFTER_SPECULATION,
  },
} as const satisfies Record<string, { readonly map: Operations; readonly unmap: Operations }>;

export const CORES = ['arm926', 'v6', 'v7', 'arm64'] as const satisfies readonly (keyof typeof ROWS)[];

export interface NoncoherentConfig {
  readonly linesPerPage: number;
  readonly core: (typeof CORES)[number];
}

/**
 * dma_cache_maint_page of a highmem page (spec/kmap.md, 3.1, P1 "pin or nothing"): at the kernel address that the
 * page has, if it has one. A page that has none has no line in a virtually tagged cache, because unmapping
 * flushed it; for physically tagged caches that conclusion is wrong (HB-4), and is drawn here all the same.
 *
 * The loop may be preempted between two lines, and runs in any context.
 */
export function noncoherentDma(
  { linesPerPage, core }: NoncoherentConfig,
  kmap: KmapPlugin,
  cache: CachePlugin,
): DmaPlugin {
  const lineBytes = PAGE_BYTES / linesPerPage;

  function* maintainPage(
    context: ProgramContext,
    pfn: number,
    operation: CacheOperation | undefined,
  ): Routine {
    if (operation === undefined) return;
    const va = yield* kmap.highGet(context, pfn);
    if (va === undefined) return;
    for (let offset = 0; offset < PAGE_BYTES; offset += lineBytes)
      yield* cache.maintain(context, operation, va + offset, pfn * PAGE_BYTES + offset, lineBytes);
    yield* kmap.highPut(context, pfn);
  }

  const { map, unmap }: { map: Operations; unmap: Operations } = ROWS[core];
  return {
    mapPage: (context, pfn, direction) => maintainPage(context, pfn, map[direction]),
    unmapPage: (context, pfn, direction) => maintainPage(context, pfn, unmap[direction]),
  };
}

const PAGE_BYTES = 4096;
