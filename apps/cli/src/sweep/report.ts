import type { Dimension } from './dimensions.ts';
import { defaultMetrics, metricOf, shortMetrics } from './metrics.ts';
import type { Statistics } from './metrics.ts';
import type { Point } from './points.ts';
import type { PointResult } from './sweep-file.ts';

/** A row of results: a point, and what it came to if it is done. */
export interface Row {
  readonly point: Point;
  readonly result: PointResult | undefined;
}

export const statisticsOf = ({ result }: Row): Statistics | undefined =>
  result === undefined || result.status === 'failed' ? undefined : result.statistics;

/** The metrics that any of the rows has, in the order of the first that has them. */
function metricsOf(rows: readonly Row[], choose: (statistics: Statistics) => string[]): string[] {
  return [...new Set(rows.flatMap((row) => choose(statisticsOf(row) ?? {})))];
}

export const allMetrics = (rows: readonly Row[], told: readonly string[]): readonly string[] =>
  told.length > 0 ? told : metricsOf(rows, defaultMetrics);

/** For people: the dimensions that vary and some metrics, in columns. */
export function tableText(
  rows: readonly Row[],
  dimensions: readonly Dimension[],
  told: readonly string[],
): string {
  const metrics =
    told.length > 0 ? told : metricsOf(rows, shortMetrics).sort((a, b) => rankOf(a) - rankOf(b));
  const varying = dimensions.flatMap(({ choices }, d) => (choices.length > 1 ? [d] : []));
  const labels = shortLabels(varying.map((d) => (dimensions[d] as Dimension).label));
  const lines = rows.map((row) => {
    const values = varying.map((d) => row.point.choices[d]?.text ?? '');
    const statistics = statisticsOf(row);
    if (statistics === undefined) return [...values, failureText(row.result)];
    const violated = row.result?.status === 'violated' ? ['VIOLATED'] : [];
    return [...values, ...metrics.map((name) => figure(metricOf(statistics, name))), ...violated];
  });
  const rates = metrics.filter((name) => name.endsWith(MISSES));
  const heads = metrics.map((name) => (rates.length > 1 ? name.replace(MISSES, '') : name));
  const table = columns([...labels, ...heads], lines, varying.length);
  if (rates.length < 2) return table.join('\n');
  // What would stand above every one of them stands once, where the first begins.
  const first = varying.length + metrics.indexOf(rates[0] as string);
  const before = columns([...labels, ...heads].slice(0, first), lines, varying.length)[0] as string;
  return [`${' '.repeat(before.length + 2)}misses per 1000 references`, ...table].join('\n');
}
const MISSES = '.misses.perThousand';

/** Where machines have other structures: misses stand together, of first-level TLBs, of the second, of caches. */
function rankOf(metric: string): number {
  if (metric === 'references') return 0;
  if (!metric.endsWith(MISSES)) return 4;
  return metric.endsWith(`tlb${MISSES}`) ? (metric.startsWith('l2') ? 2 : 1) : 3;
}

/** For other programs: full names, plain numbers, all dimensions, a line a point. */
export function csvText(
  rows: readonly Row[],
  dimensions: readonly Dimension[],
  told: readonly string[],
): string {
  const metrics = allMetrics(rows, told);
  const line = (cells: readonly (string | number)[]): string => `${cells.map(csvCell).join(',')}\r\n`;
  const head = line([...dimensions.map(({ label }) => label), 'status', 'code', ...metrics]);
  const lines = rows.map((row) => {
    const { point, result } = row;
    const statistics = statisticsOf(row);
    return line([
      ...point.choices.map(({ text }) => text),
      result?.status ?? 'open',
      result?.status === 'failed' ? result.code : '',
      ...metrics.map((name) => (statistics && metricOf(statistics, name)) ?? ''),
    ]);
  });
  return [head, ...lines].join('');
}

/** As a point stands in `--json`: the metrics, and where to look for more. */
export function rowJson(row: Row, dimensions: readonly Dimension[], metrics: readonly string[]): unknown {
  const { point, result } = row;
  const values = Object.fromEntries(dimensions.map(({ label }, d) => [label, point.choices[d]?.text]));
  if (result === undefined) return { values, status: 'open' };
  if (result.status === 'failed') return { values, ...result };
  const { statistics, ...told } = result;
  const figures = metrics.map((name) => [name, metricOf(statistics, name)]);
  return { values, ...told, metrics: Object.fromEntries(figures) as unknown };
}

/** RFC 4180. */
const csvCell = (cell: string | number): string => {
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

function failureText(result: PointResult | undefined): string {
  if (result?.status !== 'failed') return 'not run';
  return `${result.code}: ${result.what}`;
}

function figure(value: number | undefined): string {
  if (value === undefined) return '-';
  return Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(value < 0.1 ? 4 : 3);
}

/** The shortest ends of dotted paths that tell them apart, of two names at least. */
export function shortLabels(labels: readonly string[]): string[] {
  const tail = (label: string, names: number): string => label.split('.').slice(-names).join('.');
  return labels.map((label) => {
    for (let names = 2; names < label.split('.').length; names++) {
      const short = tail(label, names);
      if (labels.every((each) => each === label || tail(each, names) !== short)) return short;
    }
    return label;
  });
}

/** The first columns are flush left, the others right. What a row says instead of figures has no width. */
function columns(head: readonly string[], lines: readonly (readonly string[])[], left: number): string[] {
  const figures = lines.filter((line) => line.length >= head.length);
  const widths = head.map((text, column) =>
    Math.max(text.length, ...(column < left ? lines : figures).map((line) => (line[column] ?? '').length)),
  );
  return [head, ...lines].map((line) => {
    const flushLeft = (column: number): boolean => column < left || line.length < head.length;
    return widths
      .map((width, i) => (flushLeft(i) ? (line[i] ?? '').padEnd(width) : (line[i] ?? '').padStart(width)))
      .concat(line.slice(head.length))
      .join('  ')
      .trimEnd();
  });
}
