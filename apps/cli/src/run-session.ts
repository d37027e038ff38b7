import { ConfigError } from '@tablewalk/base';
import type { BuiltMachine } from '@tablewalk/compose';
import type { Measure } from '@tablewalk/contracts';
import type { Machine } from '@tablewalk/machine';
import type { TraceFormat } from '@tablewalk/trace';
import { createProcesses } from './drive.ts';
import type { DriveOptions, Workload } from './drive.ts';
import { recordTo } from './history-file.ts';
import type { RecordedRun, RecordingFile } from './history-file.ts';
import { buildFrom, readMachineFile } from './machine-file.ts';
import { measuresAfter, measuresOf, regionOf, skipReferences } from './region.ts';
import type { Region, RegionFlags } from './region.ts';
import { resume } from './resume.ts';
import { TraceFile } from './trace-file.ts';

export interface SessionFlags extends RegionFlags {
  readonly trace: readonly string[];
  readonly traceFormat?: TraceFormat;
  readonly set: readonly string[];
  readonly seed?: number;
  readonly record?: string;
  readonly resume?: string;
  readonly checkpointEvery?: number;
  readonly rebase?: boolean;
  readonly skipBadLines?: boolean;
  readonly maxFacts?: number;
  readonly throughViolations?: boolean;
}

/** A run that is ready to be driven, from its beginning or from the middle. */
export interface RunSession {
  readonly name: string;
  readonly built: BuiltMachine;
  readonly machine: Machine;
  readonly files: readonly TraceFile[];
  readonly workloads: readonly Workload[];
  readonly region: Region;
  readonly measures: Iterable<Measure>;
  readonly recording: RecordingFile | undefined;
  readonly had?: DriveOptions['had'];
  /** The fact at which a resumed run began. */
  readonly resumedFrom?: number;
}

export async function beginRun(machineName: string, flags: SessionFlags): Promise<RunSession> {
  const { config, at } = readMachineFile(machineName, flags);
  const built = await buildFrom(config, at);
  const run: RecordedRun = {
    traces: flags.trace,
    rebase: flags.rebase === true,
    skipBadLines: flags.skipBadLines === true,
    ...(flags.traceFormat === undefined ? {} : { traceFormat: flags.traceFormat }),
    region: regionOf(flags),
  };
  const files = openTraces(run, built);
  const recording =
    flags.record === undefined
      ? undefined
      : await recordTo(flags.record, built, at, run, flags.checkpointEvery);
  const machine = built.start(recording === undefined ? {} : { recorder: recording });
  const { region } = run;
  const workloads = files.map((file) => ({ name: file.path, source: skipReferences(file, region.skip) }));
  createProcesses(machine, workloads);
  const name = built.effective.name ?? machineName;
  return { name, built, machine, files, workloads, region, measures: measuresOf(region), recording };
}

/** Goes on with a recorded run; `--trace` names its traces anew, where they are no longer what they were called. */
export async function resumeRun(path: string, flags: SessionFlags): Promise<RunSession> {
  refuseOtherRun(flags);
  const resumed = await resume(path, { ...flags, throughViolations: flags.throughViolations === true });
  const { run, built, machine, recording, references, batches, choices, passed, from } = resumed;
  const traces = flags.trace.length === 0 ? run.traces : flags.trace;
  if (traces.length !== run.traces.length)
    throw new ConfigError('RESUME_OTHER_RUN', {
      what: `${traces.length} traces for ${run.traces.length} processes`,
      why: `the run was recorded with ${run.traces.join(', ')}`,
      fix: 'give a --trace for each of them, in that order, or none',
      at: '--trace',
    });
  const { max: _, ...rest } = run.region;
  const region: Region = flags.maxRefs === undefined ? rest : { ...rest, max: flags.maxRefs };
  const files = openTraces({ ...run, traces }, built);
  const workloads = files.map((file, i) => ({
    name: file.path,
    source: skipReferences(file, region.skip + (references[i] ?? 0)),
  }));
  const measures = measuresAfter(region, passed);
  const name = built.effective.name ?? path;
  const had = { batches, choices };
  return { name, built, machine, files, workloads, region, measures, recording, had, resumedFrom: from };
}

/** What a history says already cannot be said again. */
function refuseOtherRun(flags: SessionFlags): void {
  const given = (
    ['skip', 'warmup', 'interval', 'seed', 'rebase', 'skipBadLines', 'traceFormat'] as const
  ).find((flag) => flags[flag] !== undefined);
  const other = given ?? (flags.set.length > 0 ? 'set' : undefined);
  if (other === undefined) return;
  const option = `--${other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new ConfigError('RESUME_OTHER_RUN', {
    what: `${option} with --resume`,
    why: 'a run goes on as it began: the history says how',
    fix: other === 'set' ? 'use `branch` to go on under another policy' : 'leave it out',
    at: option,
  });
}

const openTraces = (run: RecordedRun, built: BuiltMachine): TraceFile[] =>
  run.traces.map(
    (path) =>
      new TraceFile(path, {
        addressBits: built.vaBits,
        skipBadLines: run.skipBadLines,
        rebase: run.rebase,
        // A process asks for its next batch when it has run the one before.
        reuse: true,
        ...(run.traceFormat === undefined ? {} : { format: run.traceFormat }),
      }),
  );
