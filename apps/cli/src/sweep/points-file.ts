import { ConfigError } from '@tablewalk/base';
import { existsSync, readFileSync } from 'node:fs';
import { readYaml } from '../machine-file.ts';
import type { Choice, Dimension } from './dimensions.ts';

/**
 * A `--points` file: names, each with what it lays over the machine file, by dotted paths. For variants that differ
 * in more than one key, or in what keys there are.
 */
export function readPoints(file: string): Dimension {
  if (!existsSync(file)) throw malformed(file, 'there is no such file', 'correct the path');
  const read = readYaml(readFileSync(file, 'utf8'), file);
  const example = 'write, for each, "name: { path.to.key: value }"';
  if (!isMapping(read)) throw malformed(file, 'it is no mapping of names', example);
  const choices = Object.entries(read).map(([name, sets]): Choice => {
    if (!isMapping(sets)) throw malformed(file, `"${name}" has no mapping of paths`, example);
    const overrides = Object.entries(sets).map(([path, value]) => ({ path: path.split('.'), value }));
    return { text: name, overrides };
  });
  if (choices.length === 0) throw malformed(file, 'it names no point', example);
  return { label: 'point', choices };
}

/** The machines of a sweep, where there are several. */
export const machineDimension = (machines: readonly string[]): Dimension => ({
  label: 'machine',
  choices: machines.map((machine) => ({ text: machine, overrides: [], machine })),
});

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function malformed(file: string, why: string, fix: string): ConfigError {
  return new ConfigError('SWEEP_POINTS_FILE', {
    what: `${file} names no points of a sweep`,
    why,
    fix,
    at: '--points',
  });
}
