import { assert, HistoryError } from '@tablewalk/base';
import { buildMachine, parseMachine, planMachine } from '@tablewalk/compose';
import type { BuiltMachine, ClosingRecorder, EffectiveConfig, Segment, Travelled } from '@tablewalk/compose';
import type { AccessBatch, RecordedFact, Stimulus } from '@tablewalk/contracts';
import { diffHistories, openHistory } from '@tablewalk/history';
import type { FactBlock, History, HistoryDiff } from '@tablewalk/history';
import type { World } from '@tablewalk/machine';
import { existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { catalogueFor } from './catalogue.ts';
import { loadCodec } from './codec.ts';
import { pluginUses } from './machine-file.ts';
import { RecordingFile } from './recording-file.ts';
import type { Closing, RecordedConfig, RecordedRun } from './recording-file.ts';
import { asMachine, restage } from './staging.ts';

export type { Closing, RecordedRun, RecordingFile } from './recording-file.ts';

export async function recordTo(
  path: string,
  built: BuiltMachine,
  at: string,
  run?: RecordedRun,
  arenasEvery?: number,
): Promise<RecordingFile> {
  const { counterNames } = built.dataPlane;
  const config = {
    segments: [{ from: 0, config: built.effective }],
    counterNames,
    ...placeOf(built.effective, at),
    ...(run === undefined ? {} : { run }),
  };
  return new RecordingFile(path, config, built, await loadCodec(), arenasEvery);
}

/** A run that goes on from the middle of another, as a history of its own: its facts and stimuli until there first. */
export async function resumeRecorder(
  path: string,
  parent: HistoryFile,
  built: BuiltMachine,
  from: number,
  stimuli: number,
  arenasEvery?: number,
): Promise<RecordingFile> {
  refuseOverwriting(path, parent, 'a run cannot be resumed over the history that it comes from');
  const recording = await recordTo(path, built, parent.at, parent.run, arenasEvery);
  copyPrefix(parent, recording, from, stimuli);
  return recording;
}

/** Where the machine file is, if a rerun must find plugins beside it. */
function placeOf({ slots, checkers }: EffectiveConfig, at: string): { at?: string } {
  const uses = [...Object.values(slots), ...checkers].map((use) => (typeof use === 'string' ? use : use.use));
  return uses.some((use) => use.startsWith('.') || isAbsolute(use)) ? { at } : {};
}

/** A recorded history on disk, with all that travelling in it needs. */
export class HistoryFile implements Travelled {
  readonly segments: readonly Segment[];
  readonly counterNames: readonly string[];
  readonly at: string;
  /** What the run was told to do; undefined in a branch, and in histories of 0.1. */
  readonly run: RecordedRun | undefined;

  constructor(
    readonly path: string,
    readonly history: History,
    readonly codec: Parameters<typeof openHistory>[1],
  ) {
    const config = history.header.config as Partial<RecordedConfig>;
    if (!Array.isArray(config.segments) || !Array.isArray(config.counterNames))
      throw new HistoryError('HISTORY_FOREIGN', {
        what: `${path} names no machine`,
        fix: 'name a file that --record wrote',
        at: path,
      });
    this.segments = config.segments as readonly Segment[];
    this.counterNames = config.counterNames as readonly string[];
    this.at = config.at ?? path;
    this.run = config.run;
  }

  get factCount(): number {
    return this.history.factCount;
  }
  get seed(): number {
    return this.history.header.seed;
  }
  get closing(): Closing | undefined {
    return this.history.closing?.note as Closing | undefined;
  }
  /** What is missing, in a sentence; undefined when the file is whole. */
  get damage(): { readonly what: string } | undefined {
    const { damage } = this.history;
    if (damage === undefined) return undefined;
    return {
      what: `it was cut short: ${damage.lostFrom} facts are whole, ${damage.bytes} bytes at the end are not`,
    };
  }

  facts(from: number): Generator<RecordedFact> {
    return this.history.facts(from);
  }
  *blocks(from: number): Generator<FactBlock> {
    for (let index = this.history.blockOf(from); index < this.history.blockCount; index++)
      yield this.history.readBlock(index);
  }
  factsBetween(from: number, to: number): RecordedFact[] {
    return [...this.history.facts(from, to)];
  }
  stimuli(): ReturnType<History['stimuli']> {
    return this.history.stimuli();
  }
  checkpoint(facts: number): World | undefined {
    return this.history.checkpointAtOrBefore(facts)?.world as World | undefined;
  }

  /** The batch that stimulus `number` brought. */
  batchOf(number: number): AccessBatch {
    const stimulus = this.history.stimuli(number).next().value as Stimulus | undefined;
    if (stimulus?.kind === 'batch') return stimulus.batch;
    throw new HistoryError('HISTORY_DAMAGED', {
      what: `stimulus ${number} brings no references`,
      at: this.path,
    });
  }

  /** The machine of the last segment: it knows every slice and fact of the history. */
  async build(): Promise<BuiltMachine> {
    const last = this.segments.at(-1);
    assert(last !== undefined, 'a history has a segment');
    return (await this.buildAll())(last.config);
  }

  /** Loads the plugins of all segments; afterwards machines are built at will. */
  async buildAll(): Promise<(config: EffectiveConfig) => BuiltMachine> {
    const builders = new Map<EffectiveConfig, () => BuiltMachine>();
    for (const { config } of this.segments) builders.set(config, await this.builderOf(config));
    return (config) => {
      const build = builders.get(config);
      assert(build !== undefined, 'the config is one of the segments');
      return build();
    };
  }

  private async builderOf(config: EffectiveConfig): Promise<() => BuiltMachine> {
    if (config.story !== undefined) {
      const built = await restage(config, this.at);
      return () => asMachine(built());
    }
    const machine = parseMachine(config, this.path);
    const plan = planMachine(machine, await catalogueFor(pluginUses(machine), this.at), this.path);
    return () => buildMachine(plan);
  }
}

export async function openHistoryFile(path: string): Promise<HistoryFile> {
  if (!existsSync(path))
    throw new HistoryError('HISTORY_MISSING', {
      what: `there is no history file ${path}`,
      fix: 'correct the path',
    });
  const file = openSync(path, 'r');
  const codec = await loadCodec();
  const source = {
    size: fstatSync(file).size,
    read(offset: number, length: number): Uint8Array {
      const bytes = new Uint8Array(length);
      const got = readSync(file, bytes, 0, length, offset);
      return bytes.subarray(0, got);
    },
  };
  return new HistoryFile(path, openHistory(source, codec), codec);
}

/** A branch as a history of its own: the facts and stimuli before it, then what the machine adds. */
export async function branchRecorder(
  path: string,
  parent: HistoryFile,
  next: BuiltMachine,
): Promise<(from: number, stimuli: number) => ClosingRecorder> {
  refuseOverwriting(path, parent, 'a branch cannot be written over the history that it comes from');
  const codec = await loadCodec();
  return (from, stimuli) => {
    const segments = [
      ...parent.segments.filter((segment) => segment.from < from),
      { from, config: next.effective },
    ];
    const { counterNames } = next.dataPlane;
    const config = { segments, counterNames, ...placeOf(next.effective, parent.at) };
    const file = new RecordingFile(path, config, next, codec);
    copyPrefix(parent, file, from, stimuli);
    return file;
  };
}

function refuseOverwriting(path: string, parent: HistoryFile, what: string): void {
  if (resolve(path) !== resolve(parent.path)) return;
  throw new HistoryError('HISTORY_UNWRITABLE', { what, fix: 'give --record another name', at: '--record' });
}

/** Stimuli go before the facts that they led to, as they were recorded. */
function copyPrefix(parent: HistoryFile, to: RecordingFile, facts: number, stimuli: number): void {
  const rest = parent.history.stimuli();
  let copied = 0;
  const copyTo = (count: number): void => {
    for (; copied < count; copied++) {
      const { done, value } = rest.next();
      if (done === true) return;
      to.stimulus(value);
    }
  };
  for (const recorded of parent.history.facts(0, facts)) {
    copyTo(recorded.stimulus + 1);
    to.copy(recorded);
  }
  copyTo(stimuli);
}

export async function diffHistoryFiles(a: string, b: string): Promise<HistoryDiff> {
  return diffHistories((await openHistoryFile(a)).history, (await openHistoryFile(b)).history);
}
