import { ConfigError, ExitCode } from '@tablewalk/base';
import type { BuiltMachine } from '@tablewalk/compose';
import type { Machine } from '@tablewalk/machine';
import type { KernelFactOf, RecordedFact } from '@tablewalk/contracts';
import { TRACE_FORMATS } from '@tablewalk/trace';
import type { Command } from 'commander';
import { Option } from 'commander';
import { drive } from '../drive.ts';
import type { EndStatus } from '../drive.ts';
import { note, print, printJson, Progress, writeNamed } from '../output.ts';
import { RecentFacts } from '../recent-facts.ts';
import type { Region } from '../region.ts';
import { intervalFile, intervalJson, Intervals } from '../report/intervals.ts';
import type { Interval } from '../report/intervals.ts';
import { runReport, violationText } from '../report/run-report.ts';
import { hostStatistics, simulatedStatistics, statsJson, statsText } from '../report/statistics.ts';
import { beginRun, resumeRun } from '../run-session.ts';
import type { RunSession, SessionFlags } from '../run-session.ts';
import type { TraceFile } from '../trace-file.ts';
import { collect, naturalNumber } from './options.ts';

interface RunFlags extends SessionFlags {
  readonly statsFile: readonly string[];
  readonly intervalFile?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function addRun(program: Command): void {
  program
    .command('run')
    .summary('run real traces on a machine')
    .description('Runs memory-reference traces on a machine, each as a process with its own address space.')
    .argument('[machine]', 'machine file, or the name of one that comes with Tablewalk; not with --resume')
    .option('--trace <file>', 'a trace (docs/traces.md); repeat it for more processes', collect, [])
    .addOption(
      new Option('--trace-format <name>', 'what the traces are (default: told by their content)').choices(
        TRACE_FORMATS,
      ),
    )
    .option('--record <file>', 'write the history, to replay, rerun and branch')
    .option(
      '--set <path=value>',
      'override the machine file, as in --set memory.ram=4MiB; may be repeated',
      collect,
      [],
    )
    .option(
      '--seed <n>',
      'seed of everything that is drawn (default: the machine file, else 1)',
      naturalNumber,
    )
    .option(
      '--stats-file <file>',
      'statistics: stats.txt layout, or JSON for a .json name; may be repeated',
      collect,
      [],
    )
    .option('--rebase', 'fold addresses of 2^32 and above into a 32-bit address space, and say how')
    .option('--skip-bad-lines', 'count malformed trace lines and go on')
    .option('--skip <n>', 'pass over the first n references of each trace', naturalNumber)
    .option('--warmup <n>', 'run the next n references of the machine without counting them', naturalNumber)
    .option('--max-refs <n>', 'end when n references have been counted', naturalNumber)
    .option('--interval <n>', 'statistics of every n counted references as well', naturalNumber)
    .option(
      '--interval-file <file>',
      'where to: stats.txt blocks, or CSV or JSON by the name (default: stdout)',
    )
    .option(
      '--resume <history>',
      'go on with a recorded run that was killed or stopped, from its last checkpoint',
    )
    .option('--checkpoint-every <n>', 'references between checkpoints of TLBs and caches', naturalNumber)
    .option('--max-facts <n>', 'stop after so many facts', naturalNumber)
    .option('--through-violations', 'do not stop at the first violation')
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'no progress on stderr')
    .addHelpText(
      'after',
      `
Example:
  tablewalk run cortex-a9-smp --trace machines/traces/true.lk.gz --trace machines/traces/ls.lk.gz \\
    --set memory.ram=768KiB --record h.mcap`,
    )
    .action(async (machine: string | undefined, flags: RunFlags) => {
      process.exitCode = await run(machine, flags);
    });
}

async function run(machineName: string | undefined, flags: RunFlags): Promise<ExitCode> {
  const session = await sessionOf(machineName, flags);
  const { built, machine, files, recording, region, name } = session;
  if (flags.json !== true) {
    print(`machine ${name}, seed ${built.effective.seed}`);
    if (session.resumedFrom !== undefined)
      print(`goes on from fact ${session.resumedFrom} of ${flags.resume}`);
  }
  const recent = new RecentFacts(machine);
  const intervals = watchIntervals(flags, built);
  const started = performance.now();
  let status: EndStatus;
  try {
    status = await driveWithProgress(session, flags, intervals);
  } catch (error) {
    recording?.abandon();
    throw error;
  }
  const seconds = (performance.now() - started) / 1000;
  const digest = machine.digest();
  recording?.close({ digest, facts: machine.world.facts });
  const { world } = machine;
  intervals?.close(world);
  const simulated = simulatedStatistics(world, built.dataPlane.counterNames);
  const references = files.reduce((sum, file) => sum + file.reader.references, 0);
  const host = hostStatistics(seconds, references, process.version);
  for (const file of flags.statsFile)
    writeNamed(file, file.endsWith('.json') ? statsJsonText(simulated, host) : statsText(simulated, host));
  const violation = machine.journal.violation;
  if (flags.json === true)
    printJson({
      machine: name,
      seed: built.effective.seed,
      status: violation === undefined ? status.kind : 'violated',
      ...(violation === undefined ? {} : { violation: explained(violation, recent) }),
      ...(session.resumedFrom === undefined ? {} : { resumedFrom: session.resumedFrom }),
      facts: world.facts,
      digest,
      ...(flags.record === undefined ? {} : { history: flags.record }),
      traces: files.map(traceSummary),
      ...(intervals === undefined || flags.intervalFile !== undefined ? {} : { intervals: intervals.told }),
      statistics: statsJson(simulated),
      host: statsJson(host),
    });
  else {
    print(runReport(world, built.dataPlane.counterNames));
    for (const file of files) noteTrace(file);
    noteRegion(region, machine);
    if (status.kind === 'paused') print(`stopped after ${world.facts} facts, as told`);
    if (status.kind === 'measured') print(`stopped after ${machine.references} references, as told`);
    if (violation !== undefined) print(violationText(violation, (seq) => recent.get(seq)));
    print(
      `facts ${world.facts}, digest ${digest}${flags.record === undefined ? '' : `, history ${flags.record}`}`,
    );
  }
  machine.close();
  return violation === undefined ? ExitCode.clean : ExitCode.violated;
}

/** The violation with the facts that it names, where they are still known. */
function explained(violation: RecordedFact, recent: RecentFacts): unknown {
  const { culprit, evidence } = violation.fact as KernelFactOf<'PropertyViolated'>;
  return { ...violation, causedBy: recent.get(culprit), shownBy: recent.get(evidence) };
}

function sessionOf(machineName: string | undefined, flags: RunFlags): Promise<RunSession> {
  if (flags.resume !== undefined && machineName === undefined) return resumeRun(flags.resume, flags);
  if (flags.resume !== undefined)
    throw new ConfigError('RESUME_OTHER_RUN', {
      what: `a machine, ${machineName}, with --resume`,
      why: 'a run goes on as it began: the history says on which machine',
      fix: 'leave it out; `branch` goes on under another policy',
      at: '--resume',
    });
  if (machineName === undefined || flags.trace.length === 0)
    throw new ConfigError('RUN_NO_WORK', {
      what: 'the run has nothing to do',
      why: `no ${machineName === undefined ? 'machine' : 'trace'} was given`,
      fix: 'name a machine and --trace FILE (a valgrind lackey trace); machines/traces holds two small ones',
    });
  return beginRun(machineName, flags);
}

/** Tells intervals as they end: into a file, on stdout, or (with --json) into the result. */
function watchIntervals(flags: RunFlags, built: BuiltMachine): (Intervals & { told: unknown[] }) | undefined {
  if (flags.interval === undefined) return undefined;
  const told: unknown[] = [];
  const toResult = flags.json === true && flags.intervalFile === undefined;
  const file = toResult ? undefined : intervalFile(flags.intervalFile ?? '-');
  const sink = file ?? { write: (interval: Interval) => told.push(intervalJson(interval)), close() {} };
  return Object.assign(new Intervals(built.dataPlane.counterNames, sink), { told });
}

async function driveWithProgress(
  { machine, files, workloads, measures, had, built }: RunSession,
  flags: RunFlags,
  intervals: Intervals | undefined,
): Promise<EndStatus> {
  const progress = new Progress(flags.quiet === true || flags.json === true);
  const status = await drive(machine, workloads, {
    script: built.script,
    runThroughViolations: flags.throughViolations === true,
    measures,
    onMeasure: (measure) => intervals?.at(measure, machine.world),
    ...(had === undefined ? {} : { had }),
    ...(flags.maxFacts === undefined ? {} : { untilFact: flags.maxFacts }),
    onBatch: () => {
      progress.show(() => {
        const read = files.reduce((sum, file) => sum + file.reader.references, 0);
        return `${read.toLocaleString('en-US')} references read, ${machine.world.facts.toLocaleString('en-US')} facts`;
      });
    },
  });
  progress.clear();
  return status;
}

/** A run that never came to what was to be measured must not be taken for one that did. */
function noteRegion({ skip, warmup }: Region, machine: Machine): void {
  if (skip > 0) note(`the first ${skip} references of each trace were passed over`);
  if (warmup === 0) return;
  const counted = Math.max(0, machine.references - warmup);
  if (counted > 0) note(`figures are of the ${counted} references after a warm-up of ${warmup}`);
  else note(`the run ended after ${machine.references} references, within its warm-up: figures are of that`);
}

const traceSummary = ({ path, reader, rebase }: TraceFile): unknown => ({
  path,
  references: reader.references,
  badLines: reader.badLines,
  ...(rebase === undefined ? {} : { rebased: rebase.summary() }),
});

function noteTrace({ path, reader, rebase }: TraceFile): void {
  if (reader.badLines > 0)
    note(`${path}: ${reader.badLines} malformed lines passed over; the first: ${reader.firstBadLine ?? ''}`);
  for (const { from, to, bytes } of rebase?.summary().moves ?? [])
    note(`${path}: rebased 0x${from.toString(16)} to 0x${to.toString(16)} (${bytes / 2 ** 20} MiB)`);
}

const statsJsonText = (
  simulated: Parameters<typeof statsJson>[0],
  host: Parameters<typeof statsJson>[0],
): string => `${JSON.stringify({ simulated: statsJson(simulated), host: statsJson(host) }, undefined, 2)}\n`;
