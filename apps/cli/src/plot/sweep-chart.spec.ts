import { expect, it } from 'vitest';
import { parseDimensions } from '../sweep/dimensions.ts';
import { pointsOf } from '../sweep/points.ts';
import type { Row } from '../sweep/report.ts';
import { kindOf, valueAxis } from './axis-values.ts';
import { chosenX, sweepChart } from './sweep-chart.ts';

/** Rows whose misses tell their place: `misses(index)`; undefined for a point that failed. */
function rowsOf(sets: readonly string[], zip: boolean, misses: (index: number) => number | undefined) {
  const dimensions = parseDimensions(sets);
  const rows = pointsOf(dimensions, zip).map((point): Row => {
    const value = misses(point.index);
    if (value === undefined) return { point, result: { status: 'failed', code: 'TLB_GEOMETRY', what: '' } };
    const statistics = { 'cpu0.references': 1000, 'cpu0.tlb.misses::L': value, 'cpu0.tlb.lookups::L': 500 };
    return { point, result: { status: 'finished', facts: 1, digest: '', statistics } };
  });
  return { dimensions, rows };
}
const ENTRIES = 'slots.tlb.second.entries=64,16,32';

it('has a line for each combination of the other dimensions, in the order of x, without what failed', () => {
  const sets = [ENTRIES, 'slots.tlb.second.ways=1,2', 'seed=1'];
  const { dimensions, rows } = rowsOf(sets, false, (index) => (index === 3 ? undefined : index));
  const choice = { x: 0, y: 'tlb.misses.perThousand', zip: false };
  const chart = sweepChart('a9', ['traces/x.lk'], rows, dimensions, choice);
  const y = (series: readonly { readonly x: number; readonly y: number }[]) =>
    series.map((point) => [point.x, point.y]);
  expect(chart.series.map(({ name, points }) => [name, y(points)])).toEqual([
    [
      '1',
      [
        [16, 2],
        [32, 4],
        [64, 0],
      ],
    ],
    [
      '2',
      [
        [32, 5],
        [64, 1],
      ],
    ],
  ]);
  expect(chart.title).toBe('Misses of tlb on a9');
  expect([chart.legend, chart.x.kind, chart.x.label, chart.y.label]).toEqual([
    ...['second.ways', 'log2', 'slots.tlb.second.entries', 'misses per 1000 references'],
  ]);
});

it('is one line when zipped; a miss ratio is drawn in percent', () => {
  const { dimensions, rows } = rowsOf([ENTRIES, 'slots.tlb.second.ways=1,2,4'], true, (index) => 5 * index);
  const chart = sweepChart('a9', [], rows, dimensions, { x: 0, y: 'tlb.missRatio', zip: true });
  expect(chart.series.map(({ points }) => points.map((point) => point.y))).toEqual([[1, 2, 0]]);
  expect(chart.y.label).toBe('misses, % of lookups');
});

it('reads an axis as people write it', () => {
  expect(valueAxis('size', ['16KiB', '64KiB', '256KiB'])).toMatchObject({
    x: { kind: 'log2' },
    places: [2 ** 14, 2 ** 16, 2 ** 18],
  });
  expect(valueAxis('use', ['lru', 'fifo'])).toMatchObject({ x: { kind: 'categories' }, places: [0, 1] });
  expect(
    [
      [1, 2, 4, 8],
      [10, 20, 30, 40],
      [0, 1, 2, 4],
      [32, 64],
    ].map(kindOf),
  ).toEqual([...['log2', 'log2', 'linear', 'linear']]);
  expect(kindOf([10, 12, 14, 80])).toBe('linear');
});

it('takes x by its path or the end of it, and refuses what does not vary', () => {
  const dimensions = parseDimensions(['seed=1', 'a.b.entries=1,2', 'a.c.ways=1,2']);
  expect([undefined, 'a.c.ways', 'c.ways', 'entries'].map((x) => chosenX(x, dimensions))).toEqual([
    1, 2, 2, 1,
  ]);
  expect(() => chosenX('seed', dimensions)).toThrow(expect.objectContaining({ code: 'PLOT_NO_AXIS' }));
  expect(() => chosenX(undefined, [])).toThrow(expect.objectContaining({ code: 'PLOT_NO_AXIS' }));
  const { dimensions: all, rows } = rowsOf([ENTRIES], false, () => undefined);
  expect(() => sweepChart('a9', [], rows, all, { x: 0, y: 'tlb.misses', zip: false })).toThrow(
    expect.objectContaining({ code: 'PLOT_EMPTY' }),
  );
});
