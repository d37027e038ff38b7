import { ConfigError, nearestName } from '@tablewalk/base';

/** Statistics of one run, by the names of stats.txt. */
export type Statistics = Readonly<Record<string, number>>;

const PER_THOUSAND = '.perThousand';
const MISS_RATIO = '.missRatio';

/**
 * A figure of a run: a name of stats.txt; or such a name without its `cpuN.` or its `::kind`, which is the sum
 * over them; or one of these with `.perThousand` (1000 references); or `dtlb.missRatio`, misses by lookups.
 * Undefined where the machine has no such thing.
 */
export function metricOf(statistics: Statistics, name: string): number | undefined {
  if (name.endsWith(PER_THOUSAND))
    return ratio(statistics, name.slice(0, -PER_THOUSAND.length), 'references', 1000);
  if (name.endsWith(MISS_RATIO)) {
    const structure = name.slice(0, -MISS_RATIO.length);
    const asked = `${structure}.lookups`;
    const whole = sumOf(statistics, asked) === undefined ? `${structure}.accesses` : asked;
    return ratio(statistics, `${structure}.misses`, whole, 1);
  }
  return statistics[name] ?? sumOf(statistics, name);
}

function ratio(statistics: Statistics, part: string, whole: string, times: number): number | undefined {
  const above = metricOf(statistics, part);
  const below = sumOf(statistics, whole);
  if (above === undefined || below === undefined) return undefined;
  return below === 0 ? 0 : (times * above) / below;
}

/** Over CPUs and kinds of access. */
function sumOf(statistics: Statistics, name: string): number | undefined {
  let sum: number | undefined;
  for (const [each, value] of Object.entries(statistics))
    if (summedName(each, name)) sum = (sum ?? 0) + value;
  return sum;
}

const KIND = /::(?:[A-Z]|walk)$/;
const summedName = (each: string, name: string): boolean => {
  if (!each.includes(name)) return false;
  const bare = each.replace(/^cpu\d+\./, '');
  return bare === name || bare.replace(KIND, '') === name || each.replace(KIND, '') === name;
};

/** TLBs and caches that count misses, in the order of their counters. */
export const structuresOf = (statistics: Statistics): string[] => [
  ...new Set(
    Object.keys(statistics).flatMap((name) => /^cpu\d+\.(.+)\.misses::[A-Z]$/.exec(name)?.slice(1) ?? []),
  ),
];

/** What a sweep gives unless it is told otherwise. */
export function defaultMetrics(statistics: Statistics): string[] {
  return [
    'references',
    ...structuresOf(statistics).flatMap((structure) => [
      metricOf(statistics, `${structure}.lookups`) === undefined
        ? `${structure}.accesses`
        : `${structure}.lookups`,
      `${structure}.misses`,
      `${structure}.misses${PER_THOUSAND}`,
    ]),
    ...['tlb.walks', 'memory.reads', 'memory.writes', 'memory.walkReads', 'aborts', 'sim.cycles'],
  ].filter((name) => metricOf(statistics, name) !== undefined);
}

/** The columns of a table on a terminal: fewer. */
export const shortMetrics = (statistics: Statistics): string[] =>
  [
    'references',
    ...structuresOf(statistics).map((structure) => `${structure}.misses${PER_THOUSAND}`),
    ...['tlb.walks', 'memory.reads', 'aborts', 'sim.cycles'],
  ].filter((name) => metricOf(statistics, name) !== undefined);

/** Refuses a metric that none of the machines has; their statistics before they have run suffice. */
export function refuseUnknownMetrics(names: readonly string[], machines: readonly Statistics[]): void {
  for (const name of names) {
    if (machines.some((statistics) => metricOf(statistics, name) !== undefined)) continue;
    const known = new Set(
      machines.flatMap((statistics) => [...defaultMetrics(statistics), ...Object.keys(statistics)]),
    );
    const near = nearestName(name, known);
    throw new ConfigError('METRIC_UNKNOWN', {
      what: `no machine of the sweep counts "${name}"`,
      why: 'a metric is a name of stats.txt, with or without "cpuN." and "::kind", .perThousand or .missRatio added',
      fix:
        near === undefined
          ? 'see the names with tablewalk run ... --stats-file -'
          : `did you mean "${near}"?`,
      at: '--metric',
    });
  }
}
