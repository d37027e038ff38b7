import { scaleLinear, scaleLog, scalePoint } from 'd3-scale';
import type { Chart, ChartX } from './chart.ts';

export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** From values to places on the paper, and the ticks. */
export interface Axis {
  place(value: number): number;
  readonly ticks: readonly Tick[];
}

const TICKS_X_MAX = 12;
const TICKS_Y = 6;

export function xAxis(x: ChartX, series: Chart['series'], from: number, to: number): Axis {
  if (x.kind === 'categories') {
    const scale = scalePoint(x.categories, [from, to]).padding(0.5);
    const place = (value: number): number => scale(x.categories[value] ?? '') ?? from;
    return { place, ticks: x.categories.map((text, i) => ({ at: place(i), text })) };
  }
  const values = series.flatMap(({ points }) => points.map((point) => point.x));
  const low = Math.min(...values);
  const high = Math.max(...values);
  const format = x.format ?? ((value: number) => value.toLocaleString('en-US'));
  if (x.kind === 'linear') {
    const scale = scaleLinear([low, high === low ? low + 1 : high], [from, to]);
    const ticks = scale.ticks(TICKS_X_MAX).map((value) => ({ at: scale(value), text: format(value) }));
    return { place: (value) => scale(value), ticks };
  }
  const scale = scaleLog([low, high === low ? low * 2 : high], [from, to]).base(2);
  return { place: (value) => scale(value), ticks: powersOfTwo(low, high, format, scale) };
}

/** Every power of two between them, or every second, third, ... one where they are many. */
function powersOfTwo(
  low: number,
  high: number,
  format: (value: number) => string,
  place: (value: number) => number,
): Tick[] {
  const first = Math.ceil(Math.log2(low) - 1e-9);
  const last = Math.floor(Math.log2(high) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first + 1) / TICKS_X_MAX));
  const ticks: Tick[] = [];
  for (let power = first; power <= last; power += step)
    ticks.push({ at: place(2 ** power), text: format(2 ** power) });
  return ticks;
}

export function yAxis(series: Chart['series'], bottom: number, top: number): Axis {
  const high = Math.max(0, ...series.flatMap(({ points }) => points.map((point) => point.y)));
  const scale = scaleLinear([0, high === 0 ? 1 : high], [bottom, top]).nice(TICKS_Y);
  const text = scale.tickFormat(TICKS_Y);
  const ticks = scale.ticks(TICKS_Y).map((value) => ({ at: scale(value), text: text(value) }));
  return { place: (value) => scale(value), ticks };
}
