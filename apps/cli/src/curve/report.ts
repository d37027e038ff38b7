import { formatBytes } from '@tablewalk/base';
import type { Chart } from '@tablewalk/plot';
import { basename } from 'node:path';
import type { CurveQuestion, TraceCurve } from './curve.ts';

/** Sizes that a drawing has between two doublings. */
const STEPS = 16;

/** What a size counts, and how many bytes it reaches. */
const sizeName = ({ of, sets }: CurveQuestion): string =>
  sets > 1 ? 'ways' : of === 'tlb' ? 'entries' : 'lines';
const reach = ({ unitShift, sets }: CurveQuestion, size: number): number => size * sets * 2 ** unitShift;

const nameOf = ({ trace, stream }: TraceCurve, traces: number, streams: number): string =>
  [...(traces > 1 ? [basename(trace)] : []), ...(streams > 1 || traces === 1 ? [stream] : [])].join(' ');

export function namesOf(curves: readonly TraceCurve[]): string[] {
  const traces = new Set(curves.map(({ trace }) => trace)).size;
  const streams = new Set(curves.map(({ stream }) => stream)).size;
  return curves.map((each) => nameOf(each, traces, streams));
}

/** A row a size: misses, and their part of the lookups. */
export function curveTable(
  question: CurveQuestion,
  curves: readonly TraceCurve[],
  sizes: readonly number[],
): string {
  const head = [
    sizeName(question),
    'reach',
    ...namesOf(curves).flatMap((name) => [`${name} misses`, 'ratio']),
  ];
  const rows = sizes.map((size) => [
    size.toLocaleString('en-US'),
    formatBytes(reach(question, size)),
    ...curves.flatMap(({ curve }) => [
      curve.misses(size).toLocaleString('en-US'),
      `${(100 * curve.missRatio(size)).toFixed(3)} %`,
    ]),
  ]);
  const widths = head.map((text, i) => Math.max(text.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const lines = [head, ...rows].map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '));
  return [
    ...lines,
    ...curves.map(
      ({ trace, stream, references, distinct, curve }) =>
        `${trace}, ${stream}: ${counted(references)} references, ${counted(curve.lookups)} lookups, ` +
        `${counted(distinct)} distinct`,
    ),
  ].join('\n');
}

const counted = (count: number): string => count.toLocaleString('en-US');

export function curveCsv(
  question: CurveQuestion,
  curves: readonly TraceCurve[],
  sizes: readonly number[],
): string {
  const names = namesOf(curves).map((name) =>
    /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name,
  );
  const head = [sizeName(question), 'bytes', ...names];
  const rows = sizes.map((size) => [
    size,
    reach(question, size),
    ...curves.map(({ curve }) => curve.misses(size)),
  ]);
  return [head, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}

export function curveJson(
  question: CurveQuestion,
  curves: readonly TraceCurve[],
  sizes: readonly number[],
): unknown {
  const { of, unitShift, sets } = question;
  return {
    of,
    unitBytes: 2 ** unitShift,
    sets,
    curves: curves.map(({ trace, stream, references, distinct, curve }) => ({
      trace,
      stream,
      references,
      lookups: curve.lookups,
      distinct,
      cold: curve.cold,
      misses: sizes.map((size) => [size, curve.misses(size)]),
      // Depth in the LRU stack, and how many references were there.
      depths: curve.depths.flatMap((count, depth) => (depth > 0 && count > 0 ? [[depth, count]] : [])),
    })),
  };
}

export function curveChart(question: CurveQuestion, curves: readonly TraceCurve[]): Chart {
  const enough = Math.max(2, ...curves.map(({ curve }) => curve.enough));
  const steps = Math.ceil(Math.log2(enough) * STEPS);
  const sizes = [...new Set(Array.from({ length: steps + 1 }, (_, i) => Math.round(2 ** (i / STEPS))))];
  const unit = formatBytes(2 ** question.unitShift);
  const what = question.of === 'tlb' ? `TLB of pages of ${unit}` : `cache of lines of ${unit}`;
  const how = question.sets > 1 ? `${question.sets} sets, LRU` : 'fully associative, LRU';
  return {
    title: `Miss-ratio curve of a ${what}, ${how}`,
    subtitle: [...new Set(curves.map(({ trace }) => basename(trace)))].join(', '),
    x: { kind: 'log2', label: sizeName(question) },
    y: { label: 'misses, % of lookups' },
    legend: 'references',
    series: namesOf(curves).map((name, i) => ({
      name,
      points: sizes.map((x) => ({ x, y: 100 * (curves[i] as TraceCurve).curve.missRatio(x) })),
    })),
  };
}
