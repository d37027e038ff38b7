import { ConfigError } from '@tablewalk/base';
import { InvalidArgumentError } from 'commander';

/** For options that may be given more than once. */
export const collect = (value: string, previous: readonly string[]): string[] => [...previous, value];

export function naturalNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It is not a natural number.');
}

/** `--at N`, which must lie within the history. */
export function factNumber(at: number | undefined, factCount: number): number {
  if (at === undefined) return factCount;
  if (at <= factCount) return at;
  throw new ConfigError('FACT_OUT_OF_RANGE', {
    what: `--at ${at} lies beyond the end of the history`,
    why: `it holds ${factCount} facts, so N may be 0 (before the first) to ${factCount} (after the last)`,
    fix: 'give a smaller number',
    at: '--at',
  });
}
