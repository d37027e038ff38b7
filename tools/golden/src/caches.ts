import type { AccessBatch } from '@tablewalk/contracts';
import type {
  CacheCounts,
  CacheEntry,
  CachegrindEntry,
  CacheGeometry,
  LevelName,
  Levels,
  LineResult,
  PycachesimCounts,
} from './expected.ts';
import { countOn, fromBatches } from './machine-under-test.ts';
import type { Counted } from './machine-under-test.ts';

/** A trace in memory: as it is, and with every data reference taken as one load. */
export interface Trace {
  readonly batches: readonly AccessBatch[];
  readonly asLoads: readonly AccessBatch[];
}

const POLICIES: Readonly<Record<string, string>> = {
  lru: 'replacement-lru',
  fifo: 'replacement-fifo',
  rr: 'replacement-round-robin',
  plru: 'replacement-tree-plru',
};
const STEMS: Readonly<Record<LevelName, string>> = {
  L1I: 'icache',
  L1D: 'dcache',
  L1U: 'cache',
  L2: 'l2cache',
};

/** A difference in words, or nothing. */
export type Differences = string[];

const level = ({ sizeBytes, ways, lineBytes }: CacheGeometry): unknown => ({
  size: sizeBytes,
  ways,
  line: lineBytes,
});

function machineFor(geometry: Levels<CacheGeometry>, policy: string, knobs: object): unknown {
  const { L1I, L1D, L1U, L2 } = geometry;
  const l1 =
    L1U === undefined || L1U === null
      ? { instruction: level(L1I as CacheGeometry), data: level(L1D as CacheGeometry) }
      : { unified: level(L1U) };
  const outer = L2 === undefined || L2 === null ? {} : { outer: level(L2) };
  return machineWith({ use: 'cache-pipt', ...l1, ...outer, ...knobs, with: { replacement: policy } });
}

/** VA = PA, and address spaces that stay when their references end. */
const machineWith = (cache: object): unknown => ({
  slots: { 'page-table': 'page-table-identity', mm: { use: 'mm-demand-paging', exit: 'keep' }, cache },
});

/** Every exact result of one entry: the conventions that it holds beside `line` are runs of their own. */
export async function compareCacheEntry(entry: CacheEntry, trace: Trace): Promise<Differences[]> {
  const policy = POLICIES[entry.policy] as string;
  const run = (knobs: object, batches = trace.batches): Promise<Counted> =>
    countOn(machineFor(entry.geometry, policy, knobs), [fromBatches(batches)]);
  const found: Differences[] = [];
  const classify = entry.tool === 'dinero -ccc';
  found.push(lineDifferences(await run({ classify }), entry.result, entry.geometry));
  if (entry.drcachesim !== undefined)
    found.push(hitDifferences(await run({ accounting: 'drcachesim' }), entry.drcachesim));
  if (entry.pycachesim !== undefined)
    found.push(pycachesimDifferences(await run({ accounting: 'pycachesim' }), entry.pycachesim));
  if (entry.allLoads !== undefined) {
    found.push(lineDifferences(await run({}, trace.asLoads), entry.allLoads.result, entry.geometry));
    found.push(
      pycachesimDifferences(
        await run({ accounting: 'pycachesim' }, trace.asLoads),
        entry.allLoads.pycachesim,
      ),
    );
  }
  return found;
}

/** Why an entry cannot be compared exactly; undefined when it can. */
export const inexact = (entry: CacheEntry): string | undefined =>
  entry.statistical === undefined ? undefined : 'statistical (random replacement)';

export async function compareCachegrind(entry: CachegrindEntry, trace: Trace): Promise<Differences> {
  const [i1, d1, ll] = [entry.I1, entry.D1, entry.LL].map((text) => {
    const [size, ways, line] = text.split(',').map(Number);
    return { size, ways, line };
  });
  const cache = {
    use: 'cache-pipt',
    instruction: i1,
    data: d1,
    outer: ll,
    accounting: 'cachegrind',
    with: { replacement: 'replacement-lru' },
  };
  const counted = await countOn(machineWith(cache), [fromBatches(trace.batches)]);
  const got: Record<string, number> = {
    Ir: counted.count('icache.accesses::I'),
    I1mr: counted.count('icache.misses::I'),
    ILmr: counted.count('l2cache.misses::I'),
    Dr: counted.count('dcache.accesses::R'),
    D1mr: counted.count('dcache.misses::R'),
    DLmr: counted.count('l2cache.misses::R'),
    Dw: counted.count('dcache.accesses::W'),
    D1mw: counted.count('dcache.misses::W'),
    DLmw: counted.count('l2cache.misses::W'),
  };
  return Object.entries(got).flatMap(([name, value]) => differ(name, entry.fromTrace[name] as number, value));
}

function lineDifferences(got: Counted, expected: LineResult, geometry: Levels<CacheGeometry>): Differences {
  const found = [
    ...differ('memReads', expected.memReads, got.count('memory.reads')),
    ...differ('memWrites', expected.memWrites, got.count('memory.writes')),
  ];
  for (const name of Object.keys(STEMS) as LevelName[]) {
    const counts = expected[name];
    if (counts === undefined || counts === null || geometry[name] === null) continue;
    const stem = STEMS[name];
    for (const kind of ['I', 'R', 'W'] as const) {
      found.push(
        ...differ(`${name}.acc${kind}`, counts[`acc${kind}`], got.count(`${stem}.accesses::${kind}`)),
      );
      found.push(
        ...differ(`${name}.miss${kind}`, counts[`miss${kind}`], got.count(`${stem}.misses::${kind}`)),
      );
    }
    found.push(...differ(`${name}.writebacks`, counts.writebacks, got.count(`${stem}.writebacks`)));
    for (const kind of CLASSES)
      if (counts[kind] !== undefined)
        found.push(...differ(`${name}.${kind}`, counts[kind] as number, got.count(`${stem}.${kind}`)));
  }
  return found;
}
const CLASSES = ['compulsory', 'capacity', 'conflict'] as const satisfies readonly (keyof CacheCounts)[];

function hitDifferences(
  got: Counted,
  expected: Levels<{ readonly hits: number; readonly misses: number }>,
): Differences {
  return (Object.keys(expected) as LevelName[]).flatMap((name) => {
    const counts = expected[name];
    if (counts === undefined || counts === null) return [];
    const misses = got.sum(`${STEMS[name]}.misses`, 'IRW');
    const hits = got.sum(`${STEMS[name]}.accesses`, 'IRW') - misses;
    return [...differ(`${name}.hits`, counts.hits, hits), ...differ(`${name}.misses`, counts.misses, misses)];
  });
}

function pycachesimDifferences(got: Counted, expected: Levels<PycachesimCounts>): Differences {
  return (Object.keys(expected) as LevelName[]).flatMap((name) => {
    const counts = expected[name];
    if (counts === undefined || counts === null) return [];
    return (['LOAD', 'STORE', 'HIT', 'MISS', 'EVICT'] as const).flatMap((field) =>
      differ(`pycachesim ${name}.${field}`, counts[field], got.count(`${STEMS[name]}.${field}`)),
    );
  });
}

export const differ = (name: string, expected: number, got: number): Differences =>
  expected === got ? [] : [`${name} expected ${expected}, got ${got}`];
