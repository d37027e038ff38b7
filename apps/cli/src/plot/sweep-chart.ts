import { ConfigError, nearestName } from '@tablewalk/base';
import type { Chart, Series } from '@tablewalk/plot';
import type { Dimension } from '../sweep/dimensions.ts';
import { metricOf } from '../sweep/metrics.ts';
import { shortLabels, statisticsOf } from '../sweep/report.ts';
import type { Row } from '../sweep/report.ts';
import { basename } from 'node:path';
import { valueAxis } from './axis-values.ts';

/** What of a sweep is drawn. */
export interface ChartChoice {
  /** The dimension along the axis. */
  readonly x: number;
  /** A metric. */
  readonly y: string;
  /** The points are pairs of values, one line. */
  readonly zip: boolean;
}

export const PRESET_Y = 'tlb.walks.perThousand';

/** The dimension that `--x` names by its path or the end of it; without it the first that varies. */
export function chosenX(x: string | undefined, dimensions: readonly Dimension[]): number {
  const varying = dimensions.filter(({ choices }) => choices.length > 1);
  const found =
    x === undefined
      ? varying[0]
      : (varying.find(({ label }) => label === x) ?? varying.find(({ label }) => label.endsWith(`.${x}`)));
  if (found !== undefined) return dimensions.indexOf(found);
  const known = varying.map(({ label }) => label);
  const near = x === undefined ? undefined : nearestName(x, known);
  throw new ConfigError('PLOT_NO_AXIS', {
    what:
      x === undefined
        ? '--plot has nothing to draw along its axis'
        : `--x ${x} names no --set with several values`,
    why: known.length === 0 ? 'no --set has several values' : `these have: ${known.join(', ')}`,
    fix: near === undefined ? 'give several values, as in --set path=32,64,128' : `did you mean "${near}"?`,
    at: x === undefined ? '--plot' : '--x',
  });
}

/** A line for every combination of the other dimensions; points that came to nothing are left out. */
export function sweepChart(
  machine: string,
  traces: readonly string[],
  rows: readonly Row[],
  dimensions: readonly Dimension[],
  { x, y, zip }: ChartChoice,
): Chart {
  const along = dimensions[x] as Dimension;
  const others = zip
    ? []
    : dimensions.flatMap(({ choices }, d) => (d !== x && choices.length > 1 ? [d] : []));
  const labels = shortLabels(others.map((d) => (dimensions[d] as Dimension).label));
  const values = along.choices.map(({ text }) => text);
  const axis = valueAxis(along.label, values);
  const lines = new Map<string, { x: number; y: number }[]>();
  for (const row of rows) {
    const statistics = statisticsOf(row);
    const value = statistics === undefined ? undefined : metricOf(statistics, y);
    if (value === undefined) continue;
    const texts = others.map((d) => row.point.choices[d]?.text ?? '');
    const name =
      texts.length === 1 ? (texts[0] as string) : texts.map((text, i) => `${labels[i]} ${text}`).join(', ');
    const line = lines.get(name) ?? [];
    const place = axis.places[values.indexOf(row.point.choices[x]?.text ?? '')] as number;
    line.push({ x: place, y: y.endsWith('.missRatio') ? value * 100 : value });
    lines.set(name, line);
  }
  const series = [...lines].map(([name, points]): Series => {
    return { name, points: points.sort((a, b) => a.x - b.x) };
  });
  if (series.length === 0) throw nothingToDraw(y);
  const { quantity, unit } = described(y);
  return {
    title: `${quantity} on ${machine}`,
    subtitle: traces.map((trace) => basename(trace)).join(', '),
    x: axis.x,
    y: { label: unit },
    legend: labels.length === 1 ? (labels[0] as string) : '',
    series,
  };
}

function described(metric: string): { quantity: string; unit: string } {
  const [, structure, kind] = /^(.+?)\.(misses\.perThousand|missRatio|perThousand)$/.exec(metric) ?? [];
  if (structure === undefined) return { quantity: metric, unit: metric };
  if (kind === 'missRatio') return { quantity: `Miss ratio of ${structure}`, unit: 'misses, % of lookups' };
  if (kind === 'perThousand') {
    const unit = `${structure.slice(structure.lastIndexOf('.') + 1)} per 1000 references`;
    return { quantity: structure, unit };
  }
  return { quantity: `Misses of ${structure}`, unit: 'misses per 1000 references' };
}

const nothingToDraw = (metric: string): ConfigError =>
  new ConfigError('PLOT_EMPTY', {
    what: `no point of the sweep has a figure for ${metric}`,
    why: 'none has run to its end, or those that have do not count it',
    fix: 'choose another --y, or let the sweep end',
    at: '--plot',
  });
