import { pageRecords } from './pages.ts';

/**
 * Two tiny memory images, made by hand as ARM Linux 6.1 would have them on a machine with RAM at 0x40000000: one CPU
 * runs a process "demo", the other idles on swapper_pg_dir. They are what machines/dumps holds; spec files build
 * worse ones from them.
 *
 * A process has text at 0x8000, a page that is clean but may be written at 0x9000, a dirty one at 0xa000, an old one
 * at 0xb000. The kernel has a module at 0xbf000000 that demo's first level lacks, and a UART at 0xf0800000, for which
 * demo's first level (short) still has an older table.
 */
export interface SampleDump {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly meta: SampleMeta;
}
export interface SampleMeta {
  readonly [field: string]: unknown;
  readonly cpus: readonly Readonly<Record<string, number | bigint>>[];
}

export const samples: Readonly<Record<'short-tiny' | 'lpae-tiny', () => SampleDump>> = {
  'short-tiny': shortSample,
  'lpae-tiny': lpaeSample,
};

export const samplePages = ({ pages }: SampleDump): Uint8Array => pageRecords(pages);

/** JSON with integers of any size. */
export const sampleMetaText = ({ meta }: Pick<SampleDump, 'meta'>): string =>
  JSON.stringify(
    meta,
    (_key, value: unknown) => (typeof value === 'bigint' ? `#${value}` : value),
    2,
  ).replace(/"#(\d+)"/g, '$1');

/** Words by physical byte address, in pages that come to be as they are written. */
class Memory {
  readonly pages = new Map<number, Uint8Array>();

  table(pa: number, bytes = 4096): this {
    for (let page = pa - (pa % 4096); page < pa + bytes; page += 4096)
      if (!this.pages.has(page)) this.pages.set(page, new Uint8Array(4096));
    return this;
  }
  put(pa: number, lo: number, hi?: number): this {
    this.table(pa, 4);
    const page = this.pages.get(pa - (pa % 4096)) as Uint8Array;
    const view = new DataView(page.buffer);
    view.setUint32(pa % 4096, lo, true);
    if (hi !== undefined) view.setUint32((pa % 4096) + 4, hi, true);
    return this;
  }
}

const SWAPPER = 0x4000_4000;
const DEMO = 0x4001_0000;

function shortSample(): SampleDump {
  const memory = new Memory().table(SWAPPER, 0x4000).table(DEMO, 0x4000);
  const entry = (pgd: number, va: number): number => pgd + (va >>> 20) * 4;
  for (const pgd of [SWAPPER, DEMO]) {
    // Kernel text read-only; then data, not executable. C, B, TEX[0]: write-back, write-allocate; S.
    memory.put(entry(pgd, 0xc000_0000), 0x4001_940e);
    for (let mib = 1; mib < 4; mib++)
      memory.put(entry(pgd, 0xc000_0000) + 4 * mib, 0x4001_141e + mib * 0x10_0000);
  }
  const pair = (pgd: number, va: number, page: number, domain: number): Memory =>
    memory
      .put(entry(pgd, va), (page + 0x800) | (domain << 5) | 1)
      .put(entry(pgd, va) + 4, (page + 0xc00) | (domain << 5) | 1);
  const pte = (page: number, va: number, pa: number, linux: number, hardware: number): Memory => {
    const index = (va >>> 12) & 0x1ff;
    return memory
      .put(page + 4 * index, pa | linux)
      .put(page + 0x800 + 4 * index, hardware === 0 ? 0 : pa | hardware);
  };
  pair(SWAPPER, 0xbf00_0000, 0x4002_1000, 0);
  pte(0x4002_1000, 0xbf00_0000, 0x4003_0000, 0x4df, 0x65e);
  pte(0x4002_1000, 0xbf00_1000, 0x4003_1000, 0x65f, 0x45f);
  pair(SWAPPER, 0xf080_0000, 0x4002_2000, 0);
  pte(0x4002_2000, 0xf080_0000, 0x0900_0000, 0x653, 0x453);
  pair(DEMO, 0xf080_0000, 0x4002_3000, 0);
  memory.pages.delete(0x4002_3000);

  pair(DEMO, 0x0000_0000, 0x4002_0000, 1);
  pte(0x4002_0000, 0x8000, 0x4004_0000, 0x59f, 0xe7e);
  pte(0x4002_0000, 0x9000, 0x4004_1000, 0x71f, 0xe7f);
  pte(0x4002_0000, 0xa000, 0x4004_2000, 0x75f, 0xc7f);
  pte(0x4002_0000, 0xb000, 0x4004_3000, 0x71d, 0);

  const registers = { SCTLR: 0x10c5_387d, TTBCR: 0, PRRR_MAIR0: 0xff0a_81a8, NMRR_MAIR1: 0x40e0_40e0 };
  const ttbrs = [
    { TTBR0: DEMO | 0x6a, TTBR1: SWAPPER | 0x6a },
    { TTBR0: SWAPPER | 0x6a, TTBR1: SWAPPER | 0x6a },
  ];
  const differences = [0xbf0, 0xbf1, 0xf08, 0xf09].map((index) => {
    const at = (pgd: number): number => {
      const page = memory.pages.get(pgd + (index >>> 10) * 4096) as Uint8Array;
      return new DataView(page.buffer).getUint32((index % 1024) * 4, true);
    };
    return { index, va: index * 2 ** 20, here: at(DEMO), swapper: at(SWAPPER) };
  });
  const meta = metaOf('short', { registers, ttbrs, swapper: SWAPPER, demo: DEMO }, [
    { leaf_counts: { 'section/kernel': 4, 'page/kernel': 3 }, kernel_entry_differences: [] },
    { leaf_counts: { 'section/kernel': 4, 'page/user': 3 }, kernel_entry_differences: differences },
  ]);
  return { pages: memory.pages, meta };
}

const LPAE_SWAPPER = 0x4000_3000;
const LPAE_DEMO = 0x4001_0040;
/** Bits [63:32]: L_PGD_SWAPPER is bit 55; XN, PXN, L_PTE_DIRTY, L_PTE_RDONLY are 54, 53, 55, 58. */
const L_PGD_SWAPPER = 0x0080_0000;
const XN_PXN = 0x0060_0000;
const PXN = 0x0020_0000;
const L_DIRTY = 0x0080_0000;
const L_RDONLY = 0x0400_0000;

function lpaeSample(): SampleDump {
  const memory = new Memory().table(LPAE_SWAPPER).table(LPAE_DEMO, 32);
  for (let gib = 0; gib < 4; gib++) {
    const pmd = LPAE_SWAPPER + 4096 * (1 + gib);
    memory.table(pmd).put(LPAE_SWAPPER + 8 * gib, pmd | 3, L_PGD_SWAPPER);
  }
  const [pmds2, pmds3] = [LPAE_SWAPPER + 4096 * 3, LPAE_SWAPPER + 4096 * 4];
  memory.put(pmds3, 0x4000_079d, L_DIRTY).put(pmds3 + 8, 0x4020_071d, XN_PXN | L_DIRTY);
  memory.put(pmds2 + 8 * 504, 0x4001_4003, 0).put(0x4001_4000, 0x4003_079f, L_RDONLY | L_DIRTY);
  memory.put(0x4001_4008, 0x4003_171f, XN_PXN | L_DIRTY);
  memory.put(pmds3 + 8 * 388, 0x4001_5003, 0).put(0x4001_5000, 0x0900_0713, XN_PXN | L_DIRTY);

  memory
    .put(LPAE_DEMO, 0x4001_1003, 0)
    .put(LPAE_DEMO + 16, 0x4001_2003, 0)
    .table(0x4001_2000);
  memory.put(LPAE_DEMO + 24, pmds3 | 3, L_PGD_SWAPPER);
  memory.put(0x4001_1000, 0x4001_3003, 0);
  memory.put(0x4001_3000 + 8 * 8, 0x4004_0fdf, L_RDONLY | PXN);
  memory.put(0x4001_3000 + 8 * 9, 0x4004_1fdf, XN_PXN);
  memory.put(0x4001_3000 + 8 * 10, 0x4004_2f5f, XN_PXN | L_DIRTY);
  memory.put(0x4001_3000 + 8 * 11, 0x4004_3bdf, XN_PXN);

  const registers = {
    ...{ SCTLR: 0x30c5_387d, TTBCR: 0xb502_3500, PRRR_MAIR0: 0xeeaa_4400, NMRR_MAIR1: 0xff00_0004 },
  };
  // ASID 108 in [55:48]: more than a double holds exactly.
  const ttbrs = [
    { TTBR0: (108n << 48n) | BigInt(LPAE_DEMO), TTBR1: pmds3 },
    { TTBR0: LPAE_SWAPPER, TTBR1: pmds3 },
  ];
  const meta = metaOf('lpae', { registers, ttbrs, swapper: LPAE_SWAPPER, demo: LPAE_DEMO }, [
    { leaf_counts: { 'block/kernel': 2, 'page/kernel': 3 } },
    { leaf_counts: { 'block/kernel': 2, 'page/kernel': 1, 'page/user': 4 } },
  ]);
  return { pages: memory.pages, meta };
}

interface Machine {
  readonly registers: Readonly<Record<string, number>>;
  readonly ttbrs: readonly Readonly<Record<string, number | bigint>>[];
  readonly swapper: number;
  readonly demo: number;
}

function metaOf(
  name: 'short' | 'lpae',
  { registers, ttbrs, swapper, demo }: Machine,
  roots: readonly object[],
): SampleMeta {
  const pageOffset = 0xc000_0000;
  const demoTask = { pid: 42, comm: 'demo', vmalloc_seq: 1 };
  return {
    kernel: `by hand, as 6.1 (${name})`,
    lpae: name === 'lpae',
    snapshot: 'tiny',
    cpu_model: 'cortex-a15',
    phys_offset: 0x4000_0000,
    page_offset: pageOffset,
    cpus: ttbrs.map((own, cpu) => ({
      ...{ MPIDR: 0x8000_0000 + cpu, ID_MMFR0: 0x1020_1105, DACR: 0x55, ...registers, ...own },
    })),
    init_mm_vmalloc_seq: 2,
    symbols: { swapper_pg_dir: swapper - 0x4000_0000 + pageOffset, _text: pageOffset + 0x8000 },
    tasks: [
      { pid: 0, comm: 'swapper/0', cpu: 0 },
      { pid: 2, comm: 'kthreadd', cpu: 1 },
      { ...demoTask, cpu: 0, pgd_pa: demo, context_id: 0x16c },
    ],
    roots: [
      { pa: swapper, users: [{ what: 'swapper_pg_dir' }, { what: 'TTBR0 of cpu1' }], ...roots[0] },
      { pa: demo, users: [{ what: 'TTBR0 of cpu0' }, { what: 'task', ...demoTask }], ...roots[1] },
    ],
  };
}
