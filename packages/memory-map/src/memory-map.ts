import { formatBytes, hex } from '@tablewalk/base';

/**
 * What lies where in the 32-bit virtual address space of ARM Linux: arch/arm/include/asm/memory.h, pgtable.h,
 * fixmap.h, arch/arm/mm/mmu.c (adjust_lowmem_bounds); spec/page-tables.md, 2. Virtual byte addresses;
 * ranges end before `end`.
 */
export interface MemoryMapConfig {
  /** PAGE_OFFSET: 3G/1G, 2G/2G or 1G/3G. */
  readonly pageOffset: number;
  /** Physical: PHYS_OFFSET and the size of RAM in bytes. */
  readonly ramBase: number;
  readonly ramBytes: number;
  readonly cpus: number;
  /** Bytes of modules space below PAGE_OFFSET: 16 MiB, or 8 MiB for a Thumb-2 kernel. */
  readonly modulesBytes: number;
  /** CONFIG_HIGHMEM: the last 2 MiB below PAGE_OFFSET are pkmap's. */
  readonly highmem: boolean;
  /** vmalloc=: bytes that lowmem leaves for vmalloc space. */
  readonly vmallocReserve: number;
  readonly vmallocEnd: number;
  /** FIXADDR_START and FIXADDR_END. */
  readonly fixmapStart: number;
  readonly fixmapEnd: number;
  /** KM_MAX_IDX: fixmap slots of a CPU for kmap_local; 16, and 33 with DEBUG_HIGHMEM's guards. */
  readonly kmapSlots: number;
  readonly vectors: 'high' | 'low';
}

export interface Region {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface MemoryMap {
  readonly pageOffset: number;
  readonly taskSize: number;
  readonly firstUserAddress: number;
  readonly modulesStart: number;
  readonly modulesEnd: number;
  /** high_memory: the end of the direct mapping. */
  readonly highMemory: number;
  readonly vmallocStart: number;
  readonly vmallocEnd: number;
  /** Ascending by start. */
  readonly regions: readonly Region[];
}

/**
 * The splits of Kconfig, and 3 GiB + 16 MiB: option C of the LPAE thread (spec/page-tables.md, 5.4), by which modules
 * begin at a GiB and share no first-level entry with user space.
 */
export const PAGE_OFFSETS: readonly number[] = [0x4000_0000, 0x8000_0000, 0xc000_0000, 0xc100_0000];
/** Bytes between lowmem and vmalloc space, which catch a stray access (VMALLOC_OFFSET). */
const VMALLOC_OFFSET = 8 * 2 ** 20;
const PKMAP_BYTES = 2 * 2 ** 20;
const PAGE = 4096;
const SECTION = 2 ** 20;
/** Where a kernel of 4.9 and later maps the device tree, read-only: 4 MiB (FDT_FIXED_BASE). */
const FDT = { start: 0xff80_0000, end: 0xffc0_0000 };
const HIGH_VECTORS = 0xffff_0000;
/** A branch reaches 32 MiB: modules must be so near to the kernel's text. */
const BRANCH_RANGE = 32 * 2 ** 20;

export function memoryMap(config: MemoryMapConfig): MemoryMap {
  const { pageOffset, modulesBytes, highmem, vmallocEnd } = config;
  const modulesStart = pageOffset - modulesBytes;
  const modulesEnd = highmem ? pageOffset - PKMAP_BYTES : pageOffset;
  const lowmemLimit = vmallocEnd - config.vmallocReserve - VMALLOC_OFFSET;
  const lowmem = Math.floor(Math.min(config.ramBytes, lowmemLimit - pageOffset) / SECTION) * SECTION;
  const highMemory = pageOffset + lowmem;
  const vmallocStart = Math.floor((highMemory + VMALLOC_OFFSET) / VMALLOC_OFFSET) * VMALLOC_OFFSET;
  // TASK_SIZE is 16 MiB below PAGE_OFFSET whatever modules need of it.
  const taskSize = pageOffset - 16 * 2 ** 20;
  const regions: Region[] = [
    { name: 'user space', start: PAGE, end: taskSize },
    { name: 'modules', start: modulesStart, end: modulesEnd },
    ...(highmem ? [{ name: 'pkmap', start: pageOffset - PKMAP_BYTES, end: pageOffset }] : []),
    { name: 'lowmem', start: pageOffset, end: highMemory },
    { name: 'vmalloc space', start: vmallocStart, end: vmallocEnd },
    { name: 'device tree', ...FDT },
    { name: 'fixmap', start: config.fixmapStart, end: config.fixmapEnd },
    config.vectors === 'high'
      ? { name: 'vectors', start: HIGH_VECTORS, end: HIGH_VECTORS + PAGE }
      : { name: 'vectors', start: 0, end: PAGE },
  ];
  regions.sort((a, b) => a.start - b.start);
  return {
    pageOffset,
    taskSize,
    firstUserAddress: PAGE,
    modulesStart,
    modulesEnd,
    highMemory,
    vmallocStart,
    vmallocEnd,
    regions,
  };
}

/** Why no kernel could run with such a map, in a sentence; undefined when it could. */
export function memoryMapConflict(config: MemoryMapConfig): string | undefined {
  const { pageOffset, modulesBytes, vmallocReserve, fixmapStart, fixmapEnd } = config;
  if (!PAGE_OFFSETS.includes(pageOffset))
    return `PAGE_OFFSET is ${hex(pageOffset)}, and the splits are ${PAGE_OFFSETS.map((each) => hex(each)).join(', ')}`;
  if (modulesBytes > BRANCH_RANGE)
    return `modules space of ${formatBytes(modulesBytes)} is more than a branch to the kernel's text reaches (32MiB)`;
  if (modulesBytes > 16 * 2 ** 20)
    return `modules space begins at ${hex(pageOffset - modulesBytes)}, below TASK_SIZE (${hex(pageOffset - 2 ** 24)})`;
  const map = memoryMap(config);
  if (map.highMemory <= pageOffset)
    return (
      `vmalloc space of ${formatBytes(vmallocReserve)} leaves no lowmem between PAGE_OFFSET and ` +
      `${hex(config.vmallocEnd)}`
    );
  // __set_fixmap counts downwards from the end (HB-11: it reached the device tree's sections).
  const slots = config.cpus * config.kmapSlots;
  if (fixmapEnd - slots * PAGE < fixmapStart)
    return (
      `${config.cpus} CPUs with ${config.kmapSlots} kmap slots each need ${slots} pages, and the fixmap has ` +
      `${Math.floor((fixmapEnd - fixmapStart) / PAGE)}: it would reach below ${hex(fixmapStart)}`
    );
  for (const [i, region] of map.regions.entries()) {
    if (region.end <= region.start)
      return `${region.name} would end (${hex(region.end)}) before it begins (${hex(region.start)})`;
    const next = map.regions[i + 1];
    if (next !== undefined && next.start < region.end)
      return `${region.name} (to ${hex(region.end)}) and ${next.name} (from ${hex(next.start)}) overlap`;
  }
  return undefined;
}
