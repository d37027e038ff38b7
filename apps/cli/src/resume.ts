import { ConfigError, HistoryError } from '@tablewalk/base';
import { feedUntil, StimulusFeed } from '@tablewalk/compose';
import type { BuiltMachine } from '@tablewalk/compose';
import { processesKey } from '@tablewalk/contracts';
import type { KernelFactOf, RecordedFact, Stimulus } from '@tablewalk/contracts';
import { Comparison } from '@tablewalk/machine';
import type { Machine, Recorder } from '@tablewalk/machine';
import { openHistoryFile, resumeRecorder } from './history-file.ts';
import type { HistoryFile, RecordedRun, RecordingFile } from './history-file.ts';
import { note } from './output.ts';
import { lastPlace } from './standstill.ts';

export interface ResumeOptions {
  readonly record?: string;
  readonly checkpointEvery?: number;
  readonly maxFacts?: number;
  readonly throughViolations: boolean;
}

/** A run that goes on: its machine stands where the recording ends, and asks for what comes next. */
export interface Resumed {
  readonly built: BuiltMachine;
  readonly machine: Machine;
  readonly run: RecordedRun;
  readonly recording: RecordingFile | undefined;
  /** The fact from which on everything was decided again. */
  readonly from: number;
  /** Batches and references that the recording brought, by process (mm 1 first). */
  readonly batches: readonly number[];
  readonly references: readonly number[];
  /** Places in the measured run up to this many references lie behind. */
  readonly passed: number;
  readonly choices: number;
}

/**
 * Starts a machine at the last checkpoint of a history's arenas and gives it the rest of the recorded stimuli; what
 * it decides must be what was recorded. The end that `--max-refs` made is no part of the run that goes on.
 */
export async function resume(path: string, options: ResumeOptions): Promise<Resumed> {
  const history = await openHistoryFile(path);
  const run = resumable(history);
  const built = await history.build();
  const place = lastPlace(history, built, () => true, note);
  const { standstill } = place;
  const from = standstill.world.facts;
  const recording =
    options.record === undefined
      ? undefined
      : await resumeRecorder(
          options.record,
          history,
          built,
          from,
          standstill.stimuli,
          options.checkpointEvery,
        );
  const comparison = new Comparison(history.history.facts(from, endOf(history)));
  const machine = built.start({ from: standstill, recorder: both(comparison, recording) });
  const tail = withoutEnd(history.history.stimuli(standstill.stimuli));
  const { feed, seen } = watched(tail, machine.references);
  const stop = (): boolean =>
    feed.peek === undefined ||
    comparison.divergence !== undefined ||
    machine.world.facts >= (options.maxFacts ?? Infinity) ||
    (machine.journal.violation !== undefined && !options.throughViolations);
  feedUntil(machine, feed, stop);
  refuseDivergence(comparison);
  const processes = machine.view(processesKey).slice(1);
  return {
    built,
    machine,
    run,
    recording,
    from,
    batches: processes.map(({ batch }) => batch + 1),
    references: processes.map(({ retired, count, position }) => retired + count - position),
    passed: seen.measured,
    choices: built.script.length === 0 ? 0 : choicesIn(history),
  };
}

function resumable(history: HistoryFile): RecordedRun {
  if (history.run !== undefined && history.segments.length === 1) return history.run;
  throw new ConfigError('RESUME_NO_RUN', {
    what: `${history.path} is not of a run that can go on`,
    why: 'a branch, a story, or a history of an older version does not say which references come next',
    fix: 'resume a history that `tablewalk run --record` wrote',
    at: '--resume',
  });
}

/** The last batch of a run that `--max-refs` ended was cut short: from there on it is another. */
function endOf(history: HistoryFile): number {
  const last = history.factsBetween(history.factCount - 1, history.factCount)[0];
  if (last?.fact.type !== 'MeasurementEnded') return history.factCount;
  for (let seq = last.seq; seq > 0; seq--) {
    const [before] = history.factsBetween(seq - 1, seq);
    if (before === undefined || retires(before)) return seq - 1;
  }
  return 0;
}

const retires = ({ fact }: RecordedFact): boolean =>
  fact.type === 'BatchRetired' && (fact as KernelFactOf<'BatchRetired'>).count > 0;

function* withoutEnd(stimuli: Iterable<Stimulus>): Generator<Stimulus> {
  for (const stimulus of stimuli) if (stimulus.kind !== 'measure' || stimulus.what !== 'end') yield stimulus;
}

/** A feed, and the last place in the measured run that it gave. */
function watched(
  stimuli: Iterable<Stimulus>,
  measured: number,
): { feed: StimulusFeed; seen: { measured: number } } {
  const seen = { measured };
  function* watching(): Generator<Stimulus> {
    for (const stimulus of stimuli) {
      if (stimulus.kind === 'measure') seen.measured = Math.max(seen.measured, stimulus.references);
      yield stimulus;
    }
  }
  return { feed: new StimulusFeed(watching()), seen };
}

function choicesIn(history: HistoryFile): number {
  let choices = 0;
  for (const { kind } of history.stimuli()) if (kind === 'choice') choices += 1;
  return choices;
}

const both = (comparison: Comparison, recording: RecordingFile | undefined): Recorder =>
  recording === undefined
    ? comparison
    : {
        stimulus(stimulus) {
          recording.stimulus(stimulus);
        },
        fact(recorded, world) {
          comparison.fact(recorded);
          recording.fact(recorded, world);
        },
        rest(world, arenas) {
          recording.rest(world, arenas);
        },
      };

function refuseDivergence({ divergence }: Comparison): void {
  if (divergence === undefined) return;
  throw new HistoryError('RERUN_DIVERGED', {
    what: `the run does not go on as it was recorded: fact ${divergence.seq} differs in "${divergence.field}"`,
    why: `recorded ${JSON.stringify(divergence.recorded)}, decided ${JSON.stringify(divergence.decided)}`,
    fix: 'use the version of Tablewalk and of the plugins that recorded it',
  });
}
