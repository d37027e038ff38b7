import { HistoryError } from '@tablewalk/base';
import type { BuiltMachine, ClosingRecorder, Segment } from '@tablewalk/compose';
import type { DataPlane, KernelFactOf, RecordedFact, Stimulus } from '@tablewalk/contracts';
import { createHistoryWriter, recordSchemas } from '@tablewalk/history';
import type { HistoryWriter } from '@tablewalk/history';
import type { World } from '@tablewalk/machine';
import type { TraceFormat } from '@tablewalk/trace';
import { closeSync, openSync, writeSync } from 'node:fs';
import { VERSION } from './install.ts';
import type { Region } from './region.ts';

/** What a run was told to do, to go on with it. */
export interface RecordedRun {
  readonly traces: readonly string[];
  readonly rebase: boolean;
  readonly skipBadLines: boolean;
  readonly traceFormat?: TraceFormat;
  readonly region: Region;
}

/** What a history's header keeps as config. */
export interface RecordedConfig {
  readonly segments: readonly Segment[];
  readonly counterNames: readonly string[];
  /** The machine file, from whose folder paths of plugins are taken; absent when none is named by a path. */
  readonly at?: string;
  readonly run?: RecordedRun;
}

/** What a run says at its end, for a rerun to be held against. */
export interface Closing {
  readonly digest: string;
  readonly facts: number;
}

/** References between two checkpoints of the arenas: 2 % of a history whose machine has an L2 of 512 KiB. */
export const ARENAS_EVERY = 2 ** 21;

/** Records a run into a file as it goes. A process that is killed loses at most what waits for its chunk. */
export class RecordingFile implements ClosingRecorder {
  private readonly file: number;
  readonly writer: HistoryWriter;
  private stimuli = 0;
  private retired = 0;
  /** References since the last checkpoint of the arenas. */
  private references = 0;
  private worldAt = 0;
  private readonly batches = new Map<number, number>();

  constructor(
    path: string,
    config: RecordedConfig,
    built: BuiltMachine,
    codec: Parameters<typeof createHistoryWriter>[0]['codec'],
    private readonly arenasEvery = ARENAS_EVERY,
  ) {
    this.file = openForWriting(path);
    this.writer = createHistoryWriter({
      sink: (bytes) => {
        writeAll(this.file, bytes);
      },
      codec,
      schemas: recordSchemas(built.schemas),
      header: { tablewalk: VERSION, config, plugins: built.plugins, seed: built.effective.seed },
    });
  }

  stimulus(stimulus: Stimulus): void {
    this.writer.stimulus(stimulus);
    if (stimulus.kind === 'batch') this.batches.set(stimulus.mm, this.stimuli);
    this.stimuli += 1;
  }

  fact(recorded: RecordedFact, world: () => World): void {
    this.copy(recorded);
    const facts = recorded.seq + 1;
    if (this.writer.wantsCheckpoint(facts)) this.checkpoint(facts, world());
  }

  /** A fact of another history, or one without a world to be kept. */
  copy(recorded: RecordedFact): void {
    this.writer.fact(recorded);
    const { fact } = recorded;
    if (fact.type !== 'BatchRetired') return;
    const { count } = fact as KernelFactOf<'BatchRetired'>;
    this.references += count;
    if (count > 0) this.retired += 1;
  }

  /** Between two steps: from here a run can go on. */
  rest(world: () => World, arenas: DataPlane): void {
    if (this.references < this.arenasEvery) return;
    const image = arenas.load && arenas.save?.();
    if (image === undefined) return;
    const now = world();
    const seq = now.facts;
    if (this.worldAt !== seq && !this.checkpoint(seq, now)) return;
    const { stimuli, retired, batches } = this;
    this.writer.arenas({ seq, stimuli, retired, batches, image });
    this.references = 0;
  }

  private checkpoint(seq: number, world: World): boolean {
    this.worldAt = seq;
    return this.writer.checkpoint(seq, world);
  }

  /** Ends the file as it should. */
  close(closing: Closing): void {
    this.writer.close(closing);
    closeSync(this.file);
  }

  /** Ends it where it is: what was recorded stays, and the file says that it is not whole. */
  abandon(): void {
    this.writer.flush();
    closeSync(this.file);
  }
}

function openForWriting(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new HistoryError('HISTORY_UNWRITABLE', {
      what: `the history cannot be written to ${path}`,
      why: error instanceof Error ? error.message : String(error),
      fix: 'name a file in a folder that exists and may be written',
      at: '--record',
    });
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}
