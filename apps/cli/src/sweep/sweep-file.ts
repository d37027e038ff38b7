import { ConfigError, digestOf } from '@tablewalk/base';
import type { EffectiveConfig } from '@tablewalk/compose';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../install.ts';
import type { Region } from '../region.ts';
import type { Dimension } from './dimensions.ts';
import type { PreparedSweep } from './prepare.ts';
import type { PointRun } from './protocol.ts';
import type { SharedTrace } from './shared-trace.ts';

/** What a point came to: a run, or a coded refusal. */
export type PointResult =
  | PointRun
  | { readonly status: 'failed'; readonly code: string; readonly what: string; readonly why?: string };

/** A point in `sweep.json`. */
export type FiledPoint = {
  readonly index: number;
  /** Of every dimension, as it was written. */
  readonly values: Readonly<Record<string, string>>;
  /** With every default written out; absent where there can be no such machine. */
  readonly machine?: EffectiveConfig;
} & PointResult;

/** What a sweep is of: only results of the same go together. */
export interface SweepIdentity {
  readonly tablewalk: string;
  readonly traces: readonly { readonly name: string; readonly references: number; readonly sha256: string }[];
  readonly dimensions: readonly { readonly label: string; readonly values: readonly string[] }[];
  readonly region: Region;
  /** Digest of the machines of all points. */
  readonly machines: string;
}

export interface SweepFile {
  readonly sweep: 1;
  readonly machine: string;
  readonly of: SweepIdentity;
  readonly count: number;
  /** Those that are done, in order. */
  readonly points: readonly FiledPoint[];
}

export const identityOf = (
  prepared: PreparedSweep,
  dimensions: readonly Dimension[],
  traces: readonly SharedTrace[],
  region: Region,
): SweepIdentity => ({
  tablewalk: VERSION,
  region,
  traces: traces.map(({ name, references, sha256 }) => ({ name, references, sha256 })),
  dimensions: dimensions.map(({ label, choices }) => ({ label, values: choices.map(({ text }) => text) })),
  machines: digestOf(prepared.points.map(({ identity }) => identity)),
});

const NAME = 'sweep.json';

/** Begins the results of a sweep in a folder, or goes on with them: what had been done. */
export function openResults(
  folder: string,
  of: SweepIdentity,
  resume: boolean,
): ReadonlyMap<number, PointResult> {
  const path = join(folder, NAME);
  if (!existsSync(path)) {
    if (resume) throw nothingToResume(path);
    mkdirSync(folder, { recursive: true });
    return new Map();
  }
  if (!resume)
    throw new ConfigError('SWEEP_EXISTS', {
      what: `there is a sweep in ${folder}`,
      why: 'results are never written over',
      fix: 'go on with it by --resume, or name another folder',
      at: path,
    });
  const file = readSweepFile(path);
  const changed = differences(file.of, of);
  if (changed.length > 0)
    throw new ConfigError('SWEEP_CHANGED', {
      what: `the results in ${folder} are of another sweep`,
      why: `not the same: ${changed.join(', ')}`,
      fix: 'give the command line that began it, or name another folder',
      at: path,
    });
  // A fault of ours, or a computer without memory, is worth another try.
  const kept = file.points.filter((point) => point.status !== 'failed' || point.code !== 'INTERNAL');
  return new Map(kept.map(({ index, values: _, machine: __, ...result }) => [index, result]));
}

function differences(before: SweepIdentity, now: SweepIdentity): string[] {
  const names: Record<keyof SweepIdentity, string> = {
    tablewalk: 'the version of Tablewalk',
    traces: 'the traces',
    region: 'the region of the traces',
    dimensions: 'the values of --set',
    machines: 'the machine',
  };
  return (Object.keys(names) as (keyof SweepIdentity)[])
    .filter((part) => digestOf(before[part]) !== digestOf(now[part]))
    .map((part) => names[part]);
}

function readSweepFile(path: string): SweepFile {
  let file: unknown;
  try {
    file = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw noSweep(path);
  }
  const { sweep, points, of } = (file ?? {}) as Partial<SweepFile>;
  if (sweep !== 1 || !Array.isArray(points) || of === undefined) throw noSweep(path);
  return file as SweepFile;
}

/** The file is there whole or as it was before, whenever the process ends. */
export function writeSweepFile(folder: string, file: SweepFile): void {
  const path = join(folder, NAME);
  const beside = `${path}.part`;
  const handle = openSync(beside, 'w');
  try {
    writeFileSync(handle, `${JSON.stringify(file, undefined, 1)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(beside, path);
}

const nothingToResume = (path: string): ConfigError =>
  new ConfigError('SWEEP_NOTHING_TO_RESUME', {
    what: `there is no ${path}`,
    why: '--resume goes on with a sweep that was begun with the same --out',
    fix: 'correct --out, or begin without --resume',
    at: '--resume',
  });

const noSweep = (path: string): ConfigError =>
  new ConfigError('SWEEP_FILE_DAMAGED', {
    what: `${path} is no result of a sweep`,
    why: 'it is no JSON, or lacks what tablewalk sweep writes',
    fix: 'name another folder, or move the file away',
    at: path,
  });
