import { differ } from './caches.ts';
import type { Differences, Trace } from './caches.ts';
import type { TlbCounts, TlbEntry } from './expected.ts';
import { countOn, dealt, fromBatches } from './machine-under-test.ts';
import type { Counted } from './machine-under-test.ts';

/** Where tlbref puts sections (page=mixed) and global pages (global=1). */
const SHARED_RANGE = [{ start: 0x0400_0000, end: 0x0800_0000 }];
const POLICIES: Readonly<Record<string, unknown>> = {
  lru: 'replacement-lru',
  fifo: 'replacement-fifo',
  rr: 'replacement-round-robin',
  rrg: { use: 'replacement-round-robin', pointer: 'table' },
};
const STEMS = { U: 'tlb', I: 'itlb', D: 'dtlb', L2: 'l2tlb' } as const;
/** `onswitch` of tlbref in the words of asid-fixed. */
const ON_SWITCH: Readonly<Record<string, string>> = { tag: 'keep', flush: 'flush', flushasid: 'flush-asid' };

/** Runs one entry of `tlb`: two processes that take turns when it switches, else one. */
export async function compareTlb(
  { spec, l2, options, result }: TlbEntry,
  trace: Trace,
): Promise<Differences> {
  const option = new Map(options.map((text) => text.split('=') as [string, string]));
  const slice = Number(option.get('switch') ?? 0);
  const page = option.get('page') ?? '4096';
  const mixed = page === 'mixed';
  const pageTable = {
    use: 'page-table-identity',
    pageSize: mixed ? 4096 : Number(page),
    sections: mixed ? SHARED_RANGE : [],
    global: option.get('global') === '1' ? SHARED_RANGE : [],
  };
  const machine = {
    slots: {
      'page-table': pageTable,
      replacement: POLICIES[option.get('policy') as string],
      tlb: { use: 'tlb-set-associative', ...tlbKnobs(spec, l2, mixed ? undefined : Number(page)) },
      // The caches see the same pieces whatever the TLB does; a small one is soon done with them.
      cache: { use: 'cache-pipt', with: { replacement: 'replacement-fifo' } },
      mm: { use: 'mm-demand-paging', exit: 'keep' },
      asid: { use: 'asid-fixed', onSwitch: ON_SWITCH[option.get('onswitch') ?? 'tag'] },
      'run-queue': { use: 'run-queue-round-robin', slice: slice === 0 ? Number.MAX_SAFE_INTEGER : slice },
    },
  };
  const hands =
    slice === 0 ? [trace.batches] : [dealt(trace.batches, slice, 0, 2), dealt(trace.batches, slice, 1, 2)];
  const got = await countOn(machine, hands.filter((hand) => hand.length > 0).map(fromBatches));
  // The first process is switched to once without being switched from.
  const found = [
    ...differ('walks', result.walks, got.count('tlb.walks')),
    ...differ('switches', result.switches, got.contextSwitches - 1),
  ];
  for (const name of ['U', 'I', 'D', 'L2'] as const) {
    const expected = result[name];
    if (expected !== undefined) found.push(...structureDifferences(name, expected, got));
  }
  return found;
}

function structureDifferences(name: keyof typeof STEMS, expected: TlbCounts, got: Counted): Differences {
  const stem = STEMS[name];
  return [
    ...(['I', 'L', 'S', 'M'] as const).flatMap((kind) => [
      ...differ(`${name}.lookups.${kind}`, expected.lookups[kind], got.count(`${stem}.lookups::${kind}`)),
      ...differ(`${name}.misses.${kind}`, expected.misses[kind], got.count(`${stem}.misses::${kind}`)),
    ]),
    ...differ(`${name}.totalLookups`, expected.totalLookups, got.sum(`${stem}.lookups`, 'ILSM')),
    ...differ(`${name}.totalMisses`, expected.totalMisses, got.sum(`${stem}.misses`, 'ILSM')),
    ...differ(`${name}.evictions`, expected.evictions, got.count(`${stem}.evictions`)),
    ...differ(`${name}.flushed`, expected.flushed, got.count(`${stem}.flushed`)),
    ...differ(`${name}.valid`, expected.valid, got.valid[stem] ?? 0),
  ];
}

/** `u:ENTRIES:WAYS` or `s:IENTRIES:IWAYS:DENTRIES:DWAYS`, and `ENTRIES:WAYS` or `-` for the second level. */
function tlbKnobs(spec: string, l2: string, pageSize: number | undefined): object {
  const level = (entries = 0, ways = 0): object => ({
    entries,
    ways,
    ...(pageSize === undefined ? {} : { pageSizes: [pageSize] }),
  });
  const [kind, ...numbers] = spec.split(':');
  const [a, b, c, d] = numbers.map(Number);
  const first = kind === 'u' ? { unified: level(a, b) } : { instruction: level(a, b), data: level(c, d) };
  return l2 === '-' ? { first } : { first, second: level(...l2.split(':').map(Number)) };
}
