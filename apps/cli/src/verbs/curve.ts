import { ConfigError, ExitCode, parseBytes } from '@tablewalk/base';
import type { Stream } from '@tablewalk/curves';
import { chartSvg } from '@tablewalk/plot';
import { TRACE_FORMATS } from '@tablewalk/trace';
import type { TraceFormat } from '@tablewalk/trace';
import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { atMost, curvesOf, doublings } from '../curve/curve.ts';
import type { CurveQuestion, TraceCurve } from '../curve/curve.ts';
import { curveChart, curveCsv, curveJson, curveTable } from '../curve/report.ts';
import { print, printJson, Progress, writeNamed } from '../output.ts';
import { skipReferences } from '../region.ts';
import { TraceFile } from '../trace-file.ts';
import { collect, naturalNumber } from './options.ts';

const STREAMS: readonly Stream[] = ['all', 'instruction', 'data'];
const UNITS = { tlb: '4KiB', cache: '32B' } as const;
const SETS_MAX = 2 ** 16;

interface CurveFlags {
  readonly trace: readonly string[];
  readonly unit?: string;
  readonly sets: number;
  readonly stream: readonly Stream[];
  readonly at: readonly number[];
  readonly traceFormat?: TraceFormat;
  readonly skipBadLines?: boolean;
  readonly skip: number;
  readonly maxRefs?: number;
  readonly csv?: string | true;
  readonly plot?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function addCurve(program: Command): void {
  program
    .command('curve')
    .summary('misses of LRU TLBs or caches of every size, in one pass')
    .description(
      'Reads each trace once, by itself, and tells what a TLB or cache with LRU replacement would miss at every size.',
    )
    .addArgument(new Argument('<of>', 'what holds the pages or lines').choices(['tlb', 'cache']))
    .option('--trace <file>', 'repeat it for more curves', collect, [])
    .addOption(
      new Option('--trace-format <name>', 'what the traces are (default: told by their content)').choices(
        TRACE_FORMATS,
      ),
    )
    .option('--unit <bytes>', 'bytes of a page or line, a power of two (default: 4KiB; 32B for a cache)')
    .option('--sets <n>', 'sets; sizes are ways then', naturalNumber, 1)
    .addOption(
      new Option('--stream <which>', 'which references; may be repeated (default: each of the three)')
        .choices(STREAMS)
        .argParser(collect as never)
        .default([]),
    )
    .option('--at <size>', 'a size to tell of; may be repeated (default: powers of two)', sizes, [])
    .option('--skip <n>', 'pass over the first n references of each trace', naturalNumber, 0)
    .option('--max-refs <n>', 'at most so many references of each trace', naturalNumber)
    .option('--skip-bad-lines', 'pass over malformed trace lines')
    .option('--csv [file]', 'misses as CSV, into a file or in place of the table')
    .option('--plot <file.svg>', 'draw the curves')
    .option('--json', 'print the result as JSON, with the stack distances')
    .option('--quiet', 'no progress on stderr')
    .addHelpText('after', '\nExample:\n  tablewalk curve tlb --trace machines/traces/ls.lk.gz --plot ls.svg')
    .action(async (of: CurveQuestion['of'], flags: CurveFlags) => {
      process.exitCode = await run(of, flags);
    });
}

async function run(of: CurveQuestion['of'], flags: CurveFlags): Promise<ExitCode> {
  const question = questionOf(of, flags);
  const progress = new Progress(flags.quiet === true);
  const curves: TraceCurve[] = [];
  for (const path of flags.trace) {
    const file = new TraceFile(path, {
      skipBadLines: flags.skipBadLines === true,
      ...(flags.traceFormat === undefined ? {} : { format: flags.traceFormat }),
    });
    const source = atMost(skipReferences(file, flags.skip), flags.maxRefs ?? Infinity);
    const onBatch = (references: number): void => {
      progress.show(() => `${path}: ${references.toLocaleString('en-US')} references`);
    };
    curves.push(...(await curvesOf(path, source, question, onBatch)));
  }
  progress.clear();
  const told = flags.at.length > 0 ? flags.at : doublings(curves);
  if (flags.plot !== undefined) writeNamed(flags.plot, chartSvg(curveChart(question, curves)));
  if (flags.csv !== undefined)
    writeNamed(flags.csv === true ? '-' : flags.csv, curveCsv(question, curves, told));
  if (flags.json === true) printJson(curveJson(question, curves, told));
  else if (flags.csv !== true && flags.csv !== '-') print(curveTable(question, curves, told));
  return ExitCode.clean;
}

function questionOf(
  of: CurveQuestion['of'],
  { trace, unit = UNITS[of], sets, stream }: CurveFlags,
): CurveQuestion {
  if (trace.length === 0)
    throw new ConfigError('RUN_NO_WORK', {
      what: 'there is no trace to draw a curve of',
      fix: 'add --trace FILE; machines/traces holds two small ones',
    });
  const unitShift = Math.log2(parseBytes(unit) ?? 0);
  if (!Number.isInteger(unitShift) || unitShift > 40)
    throw new ConfigError('CURVE_UNIT', {
      what: `--unit ${unit} is no size of a page or line`,
      why: 'an address is cut into units by its high bits',
      fix: 'give a power of two, as 64B or 4KiB',
      at: '--unit',
    });
  if (sets < 1 || sets > SETS_MAX)
    throw new ConfigError('CURVE_SETS', {
      what: `--sets ${sets} is no number of sets`,
      why: `1 (fully associative) to ${SETS_MAX}`,
      fix: 'give one of these',
      at: '--sets',
    });
  return { of, unitShift, sets, streams: stream.length > 0 ? stream : STREAMS };
}

const sizes = (text: string, previous: readonly number[]): number[] => [...previous, naturalNumber(text)];
