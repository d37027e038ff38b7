import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, round } from '../figure.ts';
import type { Figure } from '../figure.ts';
import { commandRun } from './command.ts';
import { climit } from './limit.ts';
import { longRun, passes, randomLoads, readings, thirdPartyLru } from './passes.ts';
import { measuredText, measuredTrace } from './workload.ts';

const PROCESSES = 5;

/**
 * The figures of the data plane. Rates are references by CPU time of this process, garbage collector included, so
 * that neighbours on a shared machine count less. Cold: the first pass in the process. Warm: the median of the next.
 */
export async function traceBench(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tablewalk-bench-'));
  try {
    return await figuresIn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function figuresIn(folder: string): Promise<readonly Figure[]> {
  // Before the trace is in memory: a large process takes a third of a second to make a child.
  const processes = commandRuns((await measuredText()).path, folder);
  const binary = await readings(processes.binary);
  const trace = await measuredTrace();
  const figures: Figure[] = [
    { name: 'references', value: trace.references, unit: `references: ${trace.name}` },
  ];
  const add = (name: string, value: number, unit: string, mark?: string): void => {
    figures.push({ name, value, unit, ...(mark === undefined ? {} : { mark }) });
  };
  const caches = await passes('l1-l2', [], trace.batches);
  add('l1l2.cold', round(caches.cold), 'references/s, L1 and L2 alone, first pass');
  add('l1l2.warm', round(caches.warm), 'references/s, L1 and L2 alone', '>= 100 M');
  const limit = climit(trace);
  if (limit !== undefined) {
    add('climit', round(limit), 'references/s of the C limit proxy (bin8) in the same run');
    add('l1l2.ratioToClimit', round(caches.warm / limit, 2), 'of the C limit proxy');
  }
  const foreign = await thirdPartyLru(trace.batches);
  add(
    'l1l2.thirdPartyLru',
    round(foreign),
    'references/s, LRU by time stamps, as a third party would write it first',
  );
  add('l1l2.thirdPartyCost', round(caches.warm / foreign, 2), 'times the time', '<= 2');
  const machine = await passes('cortex-a9-smp', ['cpus=1'], trace.folded);
  add('machine.cold', round(machine.cold), 'references/s, whole machine, with demand paging');
  add('machine.warm', round(machine.warm), 'references/s, whole machine, pages mapped', '>= 40 M');
  add('machine.random8MiB', round(await randomLoads()), 'random loads/s over 8 MiB, whole machine', '>= 6 M');
  const long = await longRun(trace.folded);
  add('machine.rate1e8', round(long.rate), 'references/s over 10^8 references, whole machine');
  add(
    'machine.lastToFirstTenth',
    round(long.lastToFirst, 2),
    'rate of the last tenth to the first',
    '>= 0.95',
  );
  add(
    'machine.lastToSecondTenth',
    round(long.lastToSecond, 2),
    'rate of the last tenth to the second',
    '>= 0.95',
  );
  add(
    'text.coldProcess',
    round(trace.references / processes.textSeconds),
    'references/s, trace file to counts, a whole process',
    '>= 25 M',
  );
  add('process.residentMax', processes.residentMax, 'bytes', '<= 300 M');
  add('binary.cold', round(binary.cold), 'references/s, reading a binary trace, the first time');
  add('binary.warm', round(binary.warm), 'references/s, reading a binary trace', '>= 50 M');
  add(
    'binary.bytesPerReference',
    round(statSync(processes.binary).size / trace.references, 2),
    'bytes of a binary trace',
    '<= 2.5',
  );
  add('recording.cost', round(processes.recordingCost, 2), 'times the time of the same run', '<= 2');
  add(
    'recording.bytesPerReference',
    round(processes.recordedBytes / trace.references, 2),
    'bytes in the history',
    '<= 2.5',
  );
  return figures;
}

/**
 * Whole processes, as a user starts them. Recording is held against the run just before it, in turns: what the
 * neighbours do then counts on both sides. Of the text's runs the fastest counts, whoever else is at work.
 */
function commandRuns(path: string, folder: string) {
  const history = join(folder, 'h.mcap');
  const binary = join(folder, 'trace.twt');
  const machine = ['run', 'cortex-a9-smp', '--set', 'cpus=1', '--rebase', '--trace', path];
  commandRun(['import', 'trace', path, '--to', binary]);
  const texts = times(PROCESSES, () => commandRun(['run', 'l1-l2', '--trace', path]));
  const pairs = times(PROCESSES, () => {
    const plain = commandRun(machine);
    return { plain, recorded: commandRun([...machine, '--record', history]) };
  });
  const all = [...texts, ...pairs.flatMap(({ plain, recorded }) => [plain, recorded])];
  return {
    textSeconds: Math.min(...texts.map(({ seconds }) => seconds)),
    recordingCost: median(pairs.map(({ plain, recorded }) => recorded.seconds / plain.seconds)),
    residentMax: Math.max(...all.map(({ residentBytes }) => residentBytes)),
    recordedBytes: statSync(history).size,
    binary,
  };
}

const times = <T>(count: number, run: () => T): T[] => Array.from({ length: count }, run);
