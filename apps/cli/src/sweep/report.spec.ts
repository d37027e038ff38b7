import { expect, it } from 'vitest';
import { barText, timeText } from './bar.ts';
import { parseDimensions } from './dimensions.ts';
import { defaultMetrics, metricOf, refuseUnknownMetrics } from './metrics.ts';
import { pointsOf } from './points.ts';
import { csvText, shortLabels, tableText } from './report.ts';
import type { Row } from './report.ts';

const STATISTICS = {
  'sim.cycles': 9000,
  'cpu0.references': 1500,
  'cpu0.dtlb.lookups::L': 400,
  'cpu0.dtlb.lookups::S': 100,
  'cpu0.dtlb.misses::L': 12,
  'cpu0.dtlb.misses::S': 3,
  'cpu0.tlb.walks': 4,
  'cpu1.references': 500,
  'cpu1.dtlb.lookups::L': 100,
  'cpu1.dtlb.lookups::S': 0,
  'cpu1.dtlb.misses::L': 9,
  'cpu1.dtlb.misses::S': 0,
  'cpu1.dtlb.misses::compulsory': 5,
  'cpu1.tlb.walks': 1,
  'memory.pagesAllocated': 7,
};

it('metrics are statistics, their sums over CPUs and kinds, and rates of these', () => {
  const figures: Record<string, number | undefined> = {
    'sim.cycles': 9000,
    'cpu0.dtlb.misses::S': 3,
    'cpu0.dtlb.misses': 15,
    'dtlb.misses::L': 21,
    'dtlb.misses': 24,
    'dtlb.misses.perThousand': 12,
    'dtlb.missRatio': 0.04,
    'tlb.walks.perThousand': 2.5,
    'memory.pagesAllocated': 7,
    'tlb.misses': undefined,
    'itlb.missRatio': undefined,
  };
  for (const [name, value] of Object.entries(figures)) expect(metricOf(STATISTICS, name), name).toBe(value);
  expect(defaultMetrics(STATISTICS)).toEqual([
    ...['references', 'dtlb.lookups', 'dtlb.misses', 'dtlb.misses.perThousand', 'tlb.walks', 'sim.cycles'],
  ]);
});

it('a metric that some machine has is taken, another is refused with the nearest name', () => {
  refuseUnknownMetrics(['dtlb.misses', 'l3.misses::I'], [STATISTICS, { 'cpu0.l3.misses::I': 0 }]);
  expect(() => refuseUnknownMetrics(['dtlb.mises'], [STATISTICS])).toThrow(/did you mean "dtlb\.misses"/);
});

it('a table has the dimensions that vary; CSV all of them and quotes what has commas', () => {
  const dimensions = parseDimensions(['slots.tlb.second.ways=2,4,3', 'seed=1']);
  const run = { status: 'finished', facts: 1, digest: 'd', statistics: STATISTICS } as const;
  const results = [run, { status: 'failed', code: 'TLB_GEOMETRY', what: 'ways, no' } as const, undefined];
  const rows = pointsOf(dimensions, false).map((point, i): Row => ({ point, result: results[i] }));
  expect(tableText(rows, dimensions, ['dtlb.misses', 'dtlb.missRatio', 'itlb.misses'])).toBe(
    [
      'second.ways  dtlb.misses  dtlb.missRatio  itlb.misses',
      '2                     24          0.0400            -',
      '4            TLB_GEOMETRY: ways, no',
      '3            not run',
    ].join('\n'),
  );
  expect(csvText(rows, dimensions, ['dtlb.misses', 'itlb.misses'])).toBe(
    [
      'slots.tlb.second.ways,seed,status,code,dtlb.misses,itlb.misses',
      '2,1,finished,,24,',
      '4,1,failed,TLB_GEOMETRY,,',
      '3,1,open,,,',
      '',
    ].join('\r\n'),
  );
  const lists = parseDimensions(['slots.tlb.first={ unified: { entries: 8, ways: 2 } }']);
  const [point] = pointsOf(lists, false);
  if (point === undefined) throw new Error('no point');
  expect(csvText([{ point, result: run }], lists, ['dtlb.misses']).split('\r\n')[1]).toBe(
    '"{ unified: { entries: 8, ways: 2 } }",finished,,24',
  );
});

it('short labels tell the dimensions apart', () => {
  const first = ['slots.tlb.first.data.entries', 'slots.tlb.first.instruction.entries'];
  expect(shortLabels(first)).toEqual(['data.entries', 'instruction.entries']);
  expect(shortLabels(['slots.cache.data.size', 'slots.dma.data.size', 'cpus'])).toEqual([
    ...['cache.data.size', 'dma.data.size', 'cpus'],
  ]);
});

it('a bar tells how far it is, how fast, and how long it takes', () => {
  expect(barText({ points: 12, pointsDone: 3, references: 4e8, referencesDone: 1e8, seconds: 20 })).toBe(
    '[======                  ] 3/12 points, 25 %, 5.0 M references/s, 1:00 left',
  );
  expect(barText({ points: 1, pointsDone: 0, references: 10, referencesDone: 0, seconds: 0 })).toBe(
    '[                        ] 0/1 points, 0 %, 0 k references/s',
  );
  expect([timeText(59.6), timeText(3599), timeText(3600 + 62)]).toEqual(['1:00', '59:59', '1:01:02']);
});
