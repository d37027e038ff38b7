import { formatBytes, parseBytes } from '@tablewalk/base';
import type { ChartX } from '@tablewalk/plot';

/** An x axis for values as people write them, and where each lies on it. */
export interface ValueAxis {
  readonly x: ChartX;
  /** In the order of the values. */
  readonly places: readonly number[];
}

/** Neighbours that differ by less than this are not read as doublings. */
const RATIO_MIN = 1.25;
const SPAN_MIN = 4;

/** Numbers and sizes in bytes get an axis of numbers, by doublings if they double; other values stand in a row. */
export function valueAxis(label: string, values: readonly string[]): ValueAxis {
  const numbers = values.map(Number);
  if (numbers.every(Number.isFinite)) return { x: { kind: kindOf(numbers), label }, places: numbers };
  const sizes = values.map(parseBytes);
  if (sizes.every((size) => size !== undefined))
    return { x: { kind: kindOf(sizes), label, format: formatBytes }, places: sizes };
  return { x: { kind: 'categories', label, categories: values }, places: values.map((_, i) => i) };
}

export function kindOf(values: readonly number[]): 'linear' | 'log2' {
  const sorted = [...values].sort((a, b) => a - b);
  const [low = 0] = sorted;
  if (low <= 0 || (sorted.at(-1) as number) < low * SPAN_MIN) return 'linear';
  return sorted.every((value, i) => i === 0 || value >= (sorted[i - 1] as number) * RATIO_MIN)
    ? 'log2'
    : 'linear';
}
