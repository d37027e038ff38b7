import { ConfigError } from '@tablewalk/base';
import type { Choice, Dimension } from './dimensions.ts';

/** One machine of a sweep: what is chosen in each dimension. */
export interface Point {
  readonly index: number;
  readonly choices: readonly Choice[];
}

export const POINTS_MAX = 10_000;

/**
 * The points of a sweep, in the order in which results are given: every combination, the last dimension
 * fastest; or, zipped, the first choices of all, then the second ones, where one choice alone serves every point.
 */
export function pointsOf(dimensions: readonly Dimension[], zip: boolean): Point[] {
  const counts = dimensions.map(({ choices }) => choices.length);
  const count = zip ? zippedCount(dimensions) : counts.reduce((product, each) => product * each, 1);
  if (count > POINTS_MAX)
    throw new ConfigError('SWEEP_TOO_LARGE', {
      what: `the sweep has ${count} points`,
      why: `every point is a whole run, and its result is kept; ${POINTS_MAX} are allowed`,
      fix: 'give fewer values, pair them with --zip, or split the sweep',
      at: '--set',
    });
  return Array.from({ length: count }, (_, index) => ({
    index,
    choices: zip ? zipped(dimensions, index) : combination(dimensions, index),
  }));
}

/** What a point is called: its choices where there are several. */
export const pointText = ({ choices }: Point, dimensions: readonly Dimension[]): string =>
  dimensions
    .map(({ label }, d) => `${label}=${(choices[d] as Choice).text}`)
    .filter((_, d) => (dimensions[d] as Dimension).choices.length > 1)
    .join(' ') || 'the only point';

const zipped = (dimensions: readonly Dimension[], index: number): Choice[] =>
  dimensions.map(({ choices }) => choices[choices.length === 1 ? 0 : index] as Choice);

function combination(dimensions: readonly Dimension[], index: number): Choice[] {
  let rest = index;
  return dimensions
    .toReversed()
    .map(({ choices }) => {
      const choice = choices[rest % choices.length] as Choice;
      rest = Math.floor(rest / choices.length);
      return choice;
    })
    .toReversed();
}

function zippedCount(dimensions: readonly Dimension[]): number {
  const several = dimensions.filter(({ choices }) => choices.length > 1);
  const count = several[0]?.choices.length ?? 1;
  const odd = several.find(({ choices }) => choices.length !== count);
  if (odd === undefined) return count;
  throw new ConfigError('SWEEP_ZIP_UNEVEN', {
    what: `--zip pairs ${count} values of ${several[0]?.label} with ${odd.choices.length} of ${odd.label}`,
    why: 'the first values make the first point, the second ones the second, and so on',
    fix: 'give each --set as many values, or one; or leave out --zip for all combinations',
    at: '--zip',
  });
}
