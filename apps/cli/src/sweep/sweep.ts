import type { TraceFormat } from '@tablewalk/trace';
import { loadCodec } from '../codec.ts';
import { note, Progress } from '../output.ts';
import { skipReferences } from '../region.ts';
import type { Region } from '../region.ts';
import { TraceFile } from '../trace-file.ts';
import { barText, rateText } from './bar.ts';
import type { Dimension } from './dimensions.ts';
import { refuseUnknownMetrics } from './metrics.ts';
import { pointsOf } from './points.ts';
import { isRunnable, prepare } from './prepare.ts';
import type { PreparedPoint, PreparedSweep } from './prepare.ts';
import type { Row } from './report.ts';
import { SweepResults } from './results.ts';
import { decodeShared } from './shared-trace.ts';
import type { SharedTrace } from './shared-trace.ts';
import { identityOf, openResults } from './sweep-file.ts';
import type { SweepIdentity } from './sweep-file.ts';
import { SweepThreads } from './threads.ts';
import { isBlock, SLAB_BYTES, TraceMemory } from './trace-memory.ts';
import type { SharedBatch } from './trace-memory.ts';

export interface SweepOptions {
  readonly machine: string;
  readonly dimensions: readonly Dimension[];
  readonly zip: boolean;
  readonly traces: readonly string[];
  readonly traceFormat?: TraceFormat;
  readonly seed?: number;
  readonly workers: number;
  readonly rebase: boolean;
  readonly skipBadLines: boolean;
  readonly region: Region;
  readonly traceMemory: number;
  readonly metrics: readonly string[];
  /** Where `sweep.json` is kept. */
  readonly out?: string;
  readonly resume: boolean;
  readonly quiet: boolean;
}

export interface Swept {
  readonly machine: string;
  readonly of: SweepIdentity;
  readonly rows: readonly Row[];
  readonly interrupted: boolean;
  readonly host: { readonly seconds: number; readonly references: number; readonly workers: number };
}

/** Runs every point of a sweep; on SIGINT those that are done by then. */
export async function sweep(options: SweepOptions): Promise<Swept> {
  const { dimensions } = options;
  const prepared = await prepare(
    options.machine,
    pointsOf(dimensions, options.zip),
    dimensions,
    options.seed,
  );
  const runnable = prepared.points.filter(isRunnable);
  refuseUnknownMetrics(
    runnable.length === 0 ? [] : options.metrics,
    runnable.map(({ idle }) => idle),
  );
  const traces = await decodeAll(prepared, options);
  const of = identityOf(prepared, dimensions, traces, options.region);
  const known = options.out === undefined ? new Map() : openResults(options.out, of, options.resume);
  const results = new SweepResults(prepared.points, { machine: prepared.name, of }, options.out, known);
  const ran = await runPoints(prepared, traces, results, options);
  results.write();
  const rows = prepared.points.map((point): Row => ({ point, result: results.of(point) }));
  return { machine: prepared.name, of, rows, ...ran };
}

/** The traces, one after the other: each is read once, whatever the number of points. */
async function decodeAll(prepared: PreparedSweep, options: SweepOptions): Promise<SharedTrace[]> {
  const { skip, warmup, max = Infinity } = options.region;
  const memory = new TraceMemory(options.traceMemory, await loadCodec());
  const progress = new Progress(options.quiet);
  const widths = prepared.points.filter(isRunnable).map(({ vaBits }) => vaBits);
  const traces: SharedTrace[] = [];
  for (const path of options.traces) {
    const file = new TraceFile(path, {
      // What every machine of the sweep can have.
      ...(widths.length === 0 ? {} : { addressBits: Math.min(...widths) }),
      ...(options.traceFormat === undefined ? {} : { format: options.traceFormat }),
      skipBadLines: options.skipBadLines,
      rebase: options.rebase,
    });
    const source = skipReferences(file, skip);
    const trace = await decodeShared(path, source, memory, warmup + max, (references) => {
      progress.show(() => `${path}: ${references.toLocaleString('en-US')} references read`);
    });
    traces.push(trace);
    progress.clear();
    noteReading(file);
  }
  noteBlocks(traces);
  return traces;
}

/** What does not fit in memory as it is costs time at every point. */
function noteBlocks(traces: readonly SharedTrace[]): void {
  const batches = traces.flatMap((trace) => trace.batches);
  const blocks = batches.filter(isBlock);
  if (blocks.length === 0) return;
  const sum = (some: readonly SharedBatch[]): string =>
    some.reduce((all, { count }) => all + count, 0).toLocaleString('en-US');
  const enough = Math.ceil((batches.length * SLAB_BYTES) / 2 ** 20);
  note(
    `${sum(blocks)} of ${sum(batches)} references are compressed in memory, and every point decodes them; ` +
      `with --trace-memory ${enough}MiB none would be`,
  );
}

/** What was not taken as it stands in the file. */
function noteReading({ path, reader, rebase }: TraceFile): void {
  if (reader.badLines > 0)
    note(`${path}: ${reader.badLines} malformed lines passed over; the first: ${reader.firstBadLine ?? ''}`);
  const moved = rebase?.summary().references ?? 0;
  if (moved > 0) note(`${path}: ${moved} references rebased below 2^32`);
}

async function runPoints(
  prepared: PreparedSweep,
  traces: readonly SharedTrace[],
  results: SweepResults,
  options: SweepOptions,
): Promise<Pick<Swept, 'interrupted' | 'host'>> {
  const orders = prepared.points.flatMap((point: PreparedPoint) =>
    isRunnable(point) && results.of(point) === undefined
      ? [{ point: point.index, config: point.config, at: point.at }]
      : [],
  );
  const { warmup, max = Infinity } = options.region;
  const each = Math.min(
    warmup + max,
    traces.reduce((sum, trace) => sum + trace.references, 0),
  );
  const workers = Math.max(1, Math.min(options.workers, orders.length));
  const before = results.done;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  const progress = new Progress(options.quiet);
  const threads = new SweepThreads(workers, { traces, region: options.region }, orders, (message) =>
    results.take(message),
  );
  const drawing = setInterval(() => {
    progress.show(() =>
      barText({
        points: prepared.points.length,
        pointsDone: results.done,
        references: orders.length * each,
        referencesDone: (results.done - before) * each + threads.references,
        seconds: seconds(),
      }),
    );
  }, 200);
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    void threads.stop();
  };
  process.once('SIGINT', interrupt);
  try {
    await threads.run();
  } finally {
    clearInterval(drawing);
    progress.clear();
    process.off('SIGINT', interrupt);
    await threads.stop();
  }
  return {
    interrupted,
    host: { seconds: seconds(), references: (results.done - before) * each, workers },
  };
}

/** What the computer did, for people. */
export const hostText = ({ seconds, references, workers }: Swept['host']): string =>
  `${seconds.toFixed(1)} s, ${workers} ${workers === 1 ? 'worker' : 'workers'}, ` +
  `${rateText(seconds > 0 ? references / seconds : 0)} references/s`;
