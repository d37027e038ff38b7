import type { Command } from 'commander';
import { addBench } from './bench.ts';
import { addBranch } from './branch.ts';
import { addCurve } from './curve.ts';
import { addDiff } from './diff.ts';
import { addExplore } from './explore.ts';
import { addImport } from './import.ts';
import { addMachines } from './machines.ts';
import { addPlugins } from './plugins.ts';
import { addReplay } from './replay.ts';
import { addRerun } from './rerun.ts';
import { addRun } from './run.ts';
import { addStories } from './stories.ts';
import { addSweep } from './sweep.ts';
import { addTranslate } from './translate.ts';

export function addVerbs(program: Command): void {
  for (const add of [
    ...[addRun, addSweep, addCurve, addExplore, addReplay, addRerun, addBranch, addDiff],
    ...[addTranslate, addStories, addPlugins, addMachines, addBench, addImport],
  ])
    add(program);
  for (const verb of program.commands) {
    verb.exitOverride();
    for (const inner of verb.commands) inner.exitOverride();
  }
}
