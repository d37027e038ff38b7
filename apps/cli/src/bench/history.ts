import { prngBelow, prngSeed } from '@tablewalk/base';
import { replay } from '@tablewalk/compose';
import type { BuiltMachine } from '@tablewalk/compose';
import type { World } from '@tablewalk/machine';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drive, createProcesses } from '../drive.ts';
import { openHistoryFile, recordTo } from '../history-file.ts';
import type { HistoryFile, RecordingFile } from '../history-file.ts';
import { median, round, seconds } from './figure.ts';
import type { Figure } from './figure.ts';
import { repeated, smallTraces, underPressure } from './workload.ts';

const FACTS = 1_000_000;
const WINDOW = 10_000;
const JUMPS = 25;
const PASSES = 3;
const IMMUTABLE_FACTS = 20_000;

/**
 * A history of 10^6 facts from a real run under memory pressure (the committed traces, repeated), then
 * its replay in both ways and jumps to random facts.
 */
export async function historyBench(): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tablewalk-bench-'));
  try {
    const path = join(folder, 'h.mcap');
    const built = await underPressure();
    const recorded = await recordFacts(path, built);
    const history = await openHistoryFile(path);
    const travelled = travelFigures(history, built);
    return [
      ...recorded,
      ...appendFigures(history, await recordTo(join(folder, 'a.mcap'), built, path)),
      ...travelled,
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The whole path: decide, fold, react, record. */
async function recordFacts(path: string, built: BuiltMachine): Promise<Figure[]> {
  const recording = await recordTo(path, built, path);
  const machine = built.start({ recorder: recording });
  const workloads = repeated(await smallTraces(built));
  createProcesses(machine, workloads);
  const start = performance.now();
  await drive(machine, workloads, { untilFact: FACTS, runThroughViolations: true });
  const elapsed = (performance.now() - start) / 1000;
  const count = machine.world.facts;
  recording.close({ digest: machine.digest(), facts: count });
  machine.close();
  return [
    { name: 'facts', value: count, unit: 'facts in the history' },
    {
      name: 'factsDecidedPerSecond',
      value: round(count / elapsed),
      unit: 'facts/s decided, folded and recorded',
    },
    {
      name: 'bytesPerFact',
      value: round(statSync(path).size / count, 2),
      unit: 'bytes on disk, references and checkpoints included',
      mark: '<= 24',
    },
  ];
}

/** Appending alone, early and late in one history. */
function appendFigures(history: HistoryFile, recording: RecordingFile): Figure[] {
  const rates: number[] = [];
  for (let from = 0; from + WINDOW <= history.factCount; from += WINDOW) {
    const facts = history.factsBetween(from, from + WINDOW);
    const elapsed = seconds(() => {
      for (const recorded of facts) recording.writer.fact(recorded);
    });
    rates.push(WINDOW / elapsed);
  }
  recording.abandon();
  // A window holds two or three flushes of a block: medians over ten windows.
  const early = median(rates.slice(1, 11));
  const late = median(rates.slice(-10));
  return [
    {
      name: 'factsAppendedPerSecond',
      value: round(median(rates)),
      unit: 'facts/s encoded, compressed and written',
    },
    {
      name: 'appendLateToEarly',
      value: round(late / early, 3),
      unit: 'rate around fact 10^6 to rate around fact 10^4',
      mark: '1',
    },
  ];
}

function travelFigures(history: HistoryFile, built: BuiltMachine): Figure[] {
  const { factCount } = history;
  const direct = median(Array.from({ length: PASSES }, () => seconds(() => foldBlocks(history, built))));
  const random = prngSeed(1);
  const jumps = Array.from({ length: JUMPS }, () => {
    const at = prngBelow(random, factCount);
    return seconds(() => replay(history, built, at)) * 1000;
  });
  const fold = built.fold();
  const some = history.factsBetween(0, IMMUTABLE_FACTS);
  const immutable = seconds(() => {
    let world: World = fold.initial();
    for (const recorded of some) world = fold.immutable(world, recorded);
  });
  return [
    {
      name: 'factsReplayedPerSecondDirect',
      value: round(factCount / direct),
      unit: `facts/s read, decoded and folded in place, median of ${PASSES} passes`,
      mark: '>= 2,000,000',
    },
    {
      name: 'factsReplayedPerSecondImmutable',
      value: round(some.length / immutable),
      unit: 'facts/s folded through immer',
    },
    {
      name: 'jumpMilliseconds',
      value: round(median(jumps), 1),
      unit: 'ms to a random fact, median',
      mark: '<= 50',
    },
    { name: 'jumpMillisecondsMax', value: round(Math.max(...jumps), 1), unit: `ms, worst of ${JUMPS}` },
  ];
}

/** A replay from the first fact on, without checkpoints. */
function foldBlocks(history: HistoryFile, built: BuiltMachine): void {
  replay(withoutCheckpoints(history), built, history.factCount);
}

const withoutCheckpoints = (history: HistoryFile): Parameters<typeof replay>[0] => ({
  factCount: history.factCount,
  facts: (from) => history.facts(from),
  blocks: (from) => history.blocks(from),
  stimuli: () => history.stimuli(),
  checkpoint: () => undefined,
});
