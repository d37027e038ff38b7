import { ConfigError } from '@tablewalk/base';
import type { Override } from '@tablewalk/compose';
import { parseOverride } from '../machine-file.ts';

/** What a dimension of a sweep may be: how people write it, and what it lays over the machine file. */
export interface Choice {
  readonly text: string;
  readonly overrides: readonly Override[];
  /** The machine file that they are laid over, if this is what is chosen. */
  readonly machine?: string;
}

/** One `--set path=a,b,c`; or the points of a `--points` file; or several machines. */
export interface Dimension {
  /** The dotted path; `point` or `machine`. */
  readonly label: string;
  readonly choices: readonly Choice[];
}

/** `path=a,b,c`: commas inside brackets, braces and quotes belong to a value. */
export function parseDimension(text: string): Dimension {
  const equals = text.indexOf('=');
  const label = text.slice(0, Math.max(0, equals));
  // Says what is wrong with a --set that has no "=", and names the values one by one when one is no YAML.
  const choices = splitValues(equals <= 0 ? '' : text.slice(equals + 1)).map((value) => {
    const override = parseOverride(equals <= 0 ? text : `${label}=${value}`);
    if (value === '') throw malformed(text, 'one of its values is empty', 'write --set path.to.key=a,b,c');
    return { text: value, overrides: [override] };
  });
  const twice = choices.find((choice, i) => choices.findIndex((each) => each.text === choice.text) < i);
  if (twice !== undefined)
    throw malformed(text, `it has the value ${twice.text} twice`, 'give every value once');
  return { label, choices };
}

/** Every `--set` of a command line. */
export function parseDimensions(sets: readonly string[]): Dimension[] {
  const dimensions = sets.map(parseDimension);
  for (const [i, { label }] of dimensions.entries())
    if (dimensions.findIndex((each) => each.label === label) < i)
      throw malformed(
        `${label}=...`,
        'another --set has that path',
        `give all values in one --set ${label}=`,
      );
  return dimensions;
}

function malformed(text: string, why: string, fix: string): ConfigError {
  return new ConfigError('SWEEP_SET_MALFORMED', {
    what: `--set ${text} spans no dimension of a sweep`,
    why,
    fix,
    at: '--set',
  });
}

const OPENING = '[{';
const CLOSING = ']}';

/** Splits at the commas that lie outside of brackets, braces and quotes. */
export function splitValues(text: string): string[] {
  const values: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (OPENING.includes(character)) depth += 1;
    else if (CLOSING.includes(character)) depth -= 1;
    else if (character === ',' && depth <= 0) {
      values.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  return [...values, text.slice(start).trim()];
}
