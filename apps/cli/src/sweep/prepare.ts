import { CodedError, ConfigError, digestOf } from '@tablewalk/base';
import type { ErrorReport } from '@tablewalk/base';
import { applyOverrides, parseMachine } from '@tablewalk/compose';
import type { BuiltMachine, EffectiveConfig, MachineConfig } from '@tablewalk/compose';
import { readFileSync } from 'node:fs';
import { buildFrom, findMachineFile, readYaml } from '../machine-file.ts';
import { simulatedStatistics, statsJson } from '../report/statistics.ts';
import type { Dimension } from './dimensions.ts';
import type { Statistics } from './metrics.ts';
import { pointText } from './points.ts';
import type { Point } from './points.ts';

/** A point whose machine is known: it can be built, or why it cannot. */
export type PreparedPoint = Point & (Runnable | Refused);

export interface Runnable {
  /** The machine file. */
  readonly at: string;
  readonly config: MachineConfig;
  readonly effective: EffectiveConfig;
  /** Of the machine and its plugins' versions. */
  readonly identity: string;
  readonly vaBits: number;
  /** All names of its statistics, with the values of a machine that has done nothing. */
  readonly idle: Statistics;
}

export interface Refused {
  readonly refused: { readonly code: string } & ErrorReport;
  readonly identity: string;
}

export interface PreparedSweep {
  readonly name: string;
  readonly points: readonly PreparedPoint[];
}

export const isRunnable = (point: PreparedPoint): point is Point & Runnable => 'config' in point;

/**
 * Builds the machine of every point, and throws it away: a misspelt name is refused before anything runs. A machine
 * that is spelt well and cannot be (a geometry, say) is a result like others.
 */
export async function prepare(
  machineName: string,
  points: readonly Point[],
  dimensions: readonly Dimension[],
  seed?: number,
): Promise<PreparedSweep> {
  const prepared: PreparedPoint[] = [];
  for (const point of points)
    try {
      const chosen = point.choices.find(({ machine }) => machine !== undefined)?.machine ?? machineName;
      prepared.push({ ...point, ...(await runnable(chosen, point, seed)) });
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (!IMPOSSIBLE.includes(error.code)) throw atPoint(error, pointText(point, dimensions));
      const { code, report } = error;
      prepared.push({ ...point, refused: { code, ...report }, identity: code });
    }
  const first = prepared.find(isRunnable);
  return { name: severalMachines(dimensions) ?? first?.effective.name ?? machineName, points: prepared };
}

const severalMachines = (dimensions: readonly Dimension[]): string | undefined =>
  dimensions
    .find(({ choices }) => choices.some(({ machine }) => machine !== undefined))
    ?.choices.map(({ text }) => text)
    .join(', ');

/** Refusals of what a machine is, not of how it is written. */
const IMPOSSIBLE = [
  ...['PLUGIN_REFUSES', 'TLB_GEOMETRY', 'CACHE_GEOMETRY', 'CACHE_ACCOUNTING', 'CONFIG_INVALID'],
  ...['MEMORY_UNUSABLE', 'FACETS_INCOMPATIBLE', 'SLOT_UNFILLED'],
];

async function runnable(machine: string, point: Point, seed?: number): Promise<Runnable> {
  const at = findMachineFile(machine);
  const file = readYaml(readFileSync(at, 'utf8'), at);
  const overrides = point.choices.flatMap((choice) => choice.overrides);
  const parsed = parseMachine(applyOverrides(file, overrides), at);
  const config = seed === undefined ? parsed : { ...parsed, seed };
  const built = await buildFrom(config, at);
  const { effective, vaBits, plugins } = built;
  return {
    at,
    config,
    effective,
    vaBits,
    identity: digestOf({ effective, plugins }),
    idle: idleStatistics(built),
  };
}

function idleStatistics(built: BuiltMachine): Statistics {
  const machine = built.start();
  const statistics = statsJson(simulatedStatistics(machine.world, built.dataPlane.counterNames));
  machine.close();
  return statistics;
}

function atPoint({ code, report }: CodedError, point: string): ConfigError {
  return new ConfigError(code, { ...report, what: `${report.what} (at ${point})` });
}
