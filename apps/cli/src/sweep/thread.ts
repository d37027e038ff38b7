import { parentPort, workerData } from 'node:worker_threads';
import { createProcesses, drive } from '../drive.ts';
import type { Workload } from '../drive.ts';
import { buildFrom } from '../machine-file.ts';
import { measuresOf } from '../region.ts';
import { simulatedStatistics, statsJson } from '../report/statistics.ts';
import { failureOf } from '../workers/protocol.ts';
import type { FromSweepThread, PointRun, RunPoint, SweepAssignment } from './protocol.ts';
import { sourceOf } from './shared-trace.ts';

async function runPoint(
  { config, at }: RunPoint,
  { traces, region, progress, index }: SweepAssignment,
): Promise<PointRun> {
  const built = await buildFrom(config, at);
  const machine = built.start();
  const workloads: Workload[] = traces.map((trace) => ({
    name: trace.name,
    source: sourceOf(trace, (references) => {
      progress[index] = (progress[index] as number) + references;
    }),
  }));
  createProcesses(machine, workloads);
  await drive(machine, workloads, { script: built.script, measures: measuresOf(region) });
  const run: PointRun = {
    status: machine.journal.violation === undefined ? 'finished' : 'violated',
    facts: machine.world.facts,
    digest: machine.digest(),
    statistics: statsJson(simulatedStatistics(machine.world, built.dataPlane.counterNames)),
  };
  machine.close();
  return run;
}

/** Runs points of a sweep, one after the other, each as a whole machine. */
export function runPoints(): void {
  const assignment = workerData as SweepAssignment;
  /** The point is over: it is counted whole from now on, there. */
  const end = (message: FromSweepThread): void => {
    assignment.progress[assignment.index] = 0;
    parentPort?.postMessage(message);
  };
  parentPort?.on('message', (order: RunPoint) => {
    const { point } = order;
    runPoint(order, assignment).then(
      (run) => end({ kind: 'ran', point, run }),
      (error: unknown) => end({ kind: 'failed', point, failure: failureOf(error) }),
    );
  });
}
