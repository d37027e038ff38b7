import { ConfigError, ExitCode, parseBytes } from '@tablewalk/base';
import { chartSvg } from '@tablewalk/plot';
import { TRACE_FORMATS } from '@tablewalk/trace';
import type { TraceFormat } from '@tablewalk/trace';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { availableParallelism } from 'node:os';
import { note, print, printJson, writeNamed } from '../output.ts';
import { chosenX, PRESET_Y, sweepChart } from '../plot/sweep-chart.ts';
import { regionOf } from '../region.ts';
import { parseDimensions } from '../sweep/dimensions.ts';
import { machineDimension, readPoints } from '../sweep/points-file.ts';
import { allMetrics, csvText, rowJson, tableText } from '../sweep/report.ts';
import { hostText, sweep } from '../sweep/sweep.ts';
import type { Swept } from '../sweep/sweep.ts';
import { WORKERS_MAX } from '../workers/index.ts';
import { collect, naturalNumber } from './options.ts';

interface SweepFlags {
  readonly trace: readonly string[];
  readonly set: readonly string[];
  readonly points?: string;
  readonly zip?: boolean;
  readonly workers: number;
  readonly metric: readonly string[];
  readonly seed?: number;
  readonly rebase?: boolean;
  readonly traceFormat?: TraceFormat;
  readonly skipBadLines?: boolean;
  readonly skip?: number;
  readonly warmup?: number;
  readonly maxRefs?: number;
  readonly traceMemory: number;
  readonly out?: string;
  readonly resume?: boolean;
  readonly csv?: string | true;
  readonly plot?: string;
  readonly x?: string;
  readonly y?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** By convention 128 and the number of SIGINT. */
const EXIT_INTERRUPTED = 130;

export function addSweep(program: Command): void {
  program
    .command('sweep')
    .summary('run traces on many variants of a machine, in parallel')
    .description(
      'Runs the same traces on every combination of the values given, and tables what they came to.',
    )
    .argument('<machines...>', 'machine files, or names of some that come with Tablewalk')
    .option('--trace <file>', 'read once and shared by all points; repeat it for more processes', collect, [])
    .addOption(
      new Option('--trace-format <name>', 'what the traces are (default: told by their content)').choices(
        TRACE_FORMATS,
      ),
    )
    .option('--set <path=a,b,c>', 'values of a key of the machine file; may be repeated', collect, [])
    .option('--points <file>', 'points by name, each with what it lays over the machine file')
    .option('--zip', 'pair the values of several --set instead of combining them')
    .option(
      '--workers <n>',
      'threads, a point each (default: the cores)',
      naturalNumber,
      availableParallelism(),
    )
    .option('--metric <name>', 'a name of stats.txt, or a sum or rate of such; may be repeated', collect, [])
    .option('--seed <n>', 'seed of every point (default: the machine file, else 1)', naturalNumber)
    .option('--rebase', 'fold addresses of 2^32 and above into a 32-bit address space')
    .option('--skip-bad-lines', 'pass over malformed trace lines')
    .option('--skip <n>', 'pass over the first n references of each trace', naturalNumber)
    .option('--warmup <n>', 'run the next n references of a machine without counting them', naturalNumber)
    .option('--max-refs <n>', 'end a point when n references have been counted', naturalNumber)
    .option(
      '--trace-memory <bytes>',
      'room for the traces: 9 bytes a reference; what does not fit is compressed',
      byteCount,
      2 ** 31,
    )
    .option('--out <folder>', 'keep sweep.json there, point by point')
    .option('--resume', 'go on with the sweep in --out')
    .option('--csv [file]', 'results as CSV, into a file or in place of the table')
    .option('--plot <file.svg>', 'draw a metric along one dimension, a line for each value of the others')
    .option('--x <path>', 'the dimension along the axis (default: the first that varies)')
    .option('--y <metric>', `the metric drawn (default: the first --metric, else ${PRESET_Y})`)
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'no progress on stderr')
    .addHelpText(
      'after',
      `
Example:
  tablewalk sweep cortex-a9-smp --trace machines/traces/true.lk.gz --trace machines/traces/ls.lk.gz \\
    --set slots.tlb.second.entries=32,64,128,256 --set slots.tlb.second.ways=2,4`,
    )
    .action(async (machines: readonly string[], flags: SweepFlags) => {
      process.exitCode = await run(machines, flags);
    });
}

async function run(machines: readonly string[], flags: SweepFlags): Promise<number> {
  refuse(flags);
  const { seed, out, traceFormat } = flags;
  const dimensions = [
    ...(machines.length > 1 ? [machineDimension(machines)] : []),
    ...(flags.points === undefined ? [] : [readPoints(flags.points)]),
    ...parseDimensions(flags.set),
  ];
  const x = flags.plot === undefined ? 0 : chosenX(flags.x, dimensions);
  const y = flags.y ?? flags.metric[0] ?? PRESET_Y;
  const swept = await sweep({
    machine: machines[0] ?? '',
    dimensions,
    zip: flags.zip === true,
    traces: flags.trace,
    region: regionOf(flags),
    workers: flags.workers,
    rebase: flags.rebase === true,
    skipBadLines: flags.skipBadLines === true,
    traceMemory: flags.traceMemory,
    metrics: flags.plot === undefined ? flags.metric : [...flags.metric, y],
    resume: flags.resume === true,
    quiet: flags.quiet === true,
    ...(seed === undefined ? {} : { seed }),
    ...(traceFormat === undefined ? {} : { traceFormat }),
    ...(out === undefined ? {} : { out }),
  });
  const { rows } = swept;
  if (flags.csv !== undefined)
    writeNamed(flags.csv === true ? '-' : flags.csv, csvText(rows, dimensions, flags.metric));
  if (flags.plot !== undefined && !swept.interrupted) {
    const names = swept.of.traces.map(({ name }) => name);
    const chart = sweepChart(swept.machine, names, rows, dimensions, { x, y, zip: flags.zip === true });
    writeNamed(flags.plot, chartSvg(chart));
  }
  if (flags.json === true) printJson(sweptJson(swept, dimensions, flags.metric));
  else if (flags.csv !== true && flags.csv !== '-') {
    print(tableText(rows, dimensions, flags.metric));
    note(hostText(swept.host));
  }
  return ended(swept, out);
}

function ended({ rows, interrupted }: Swept, out: string | undefined): number {
  if (interrupted) {
    const done = rows.filter(({ result }) => result !== undefined).length;
    const next = out === undefined ? 'with --out FOLDER it could be gone on with' : 'go on with --resume';
    note(`interrupted: ${done} of ${rows.length} points are done; ${next}`);
    return EXIT_INTERRUPTED;
  }
  const failures = rows.flatMap(({ result }) => (result?.status === 'failed' ? [result.code] : []));
  if (failures.includes('INTERNAL')) return ExitCode.internal;
  if (failures.length > 0) return ExitCode.usage;
  return rows.some(({ result }) => result?.status === 'violated') ? ExitCode.violated : ExitCode.clean;
}

function sweptJson(
  swept: Swept,
  dimensions: Parameters<typeof rowJson>[1],
  told: readonly string[],
): unknown {
  const { machine, of, rows, interrupted, host } = swept;
  const metrics = allMetrics(rows, told);
  return {
    machine,
    traces: of.traces,
    dimensions: of.dimensions,
    interrupted,
    points: rows.map((row) => rowJson(row, dimensions, metrics)),
    host,
  };
}

function refuse({ trace, workers, out, resume, csv, json }: SweepFlags): void {
  if (trace.length === 0)
    throw new ConfigError('RUN_NO_WORK', {
      what: 'the sweep has nothing to run',
      why: 'no trace was given',
      fix: 'add --trace FILE; machines/traces holds two small ones',
    });
  if (workers < 1 || workers > WORKERS_MAX)
    throw new ConfigError('WORKERS_OUT_OF_RANGE', {
      what: `--workers ${workers} is no number of threads`,
      why: `a sweep runs in 1 to ${WORKERS_MAX} threads; more than the processor has cores gain nothing`,
      fix: 'give as many as there are cores to spare',
      at: '--workers',
    });
  if (resume === true && out === undefined)
    throw new ConfigError('SWEEP_NOTHING_TO_RESUME', {
      what: '--resume without --out',
      why: 'it goes on with the results in a folder',
      fix: 'add --out FOLDER, as when the sweep was begun',
      at: '--resume',
    });
  if (json === true && (csv === true || csv === '-'))
    throw new ConfigError('SWEEP_TWO_OUTPUTS', {
      what: 'JSON and CSV cannot both go to stdout',
      fix: 'give the CSV a file: --csv FILE',
      at: '--csv',
    });
}

function byteCount(text: string): number {
  const value = parseBytes(text);
  if (value === undefined) throw new InvalidArgumentError('It is no size, like 512MiB.');
  return value;
}
