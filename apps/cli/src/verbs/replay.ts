import { ExitCode } from '@tablewalk/base';
import { replay } from '@tablewalk/compose';
import { worldDigest } from '@tablewalk/machine';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { openHistoryFile } from '../history-file.ts';
import { listBatches, showAccess } from '../inspect-access.ts';
import type { AccessPlace } from '../inspect-access.ts';
import { print, printJson } from '../output.ts';
import { factText, runReport } from '../report/run-report.ts';
import { changedSlices, playedText, storyWorldText } from '../report/story-world.ts';
import { simulatedStatistics, statsJson } from '../report/statistics.ts';
import { factNumber, naturalNumber } from './options.ts';

interface ReplayFlags {
  readonly at?: number | AccessPlace;
  readonly batches?: boolean;
  readonly context: number;
  readonly json?: boolean;
}

export function addReplay(program: Command): void {
  program
    .command('replay')
    .summary('show the world at any fact of a history')
    .description(
      'Folds a recorded history to the world after its first N facts, or tells what one access did in TLBs, ' +
        'walk and caches. No policy of the kernel runs.',
    )
    .argument('<history>', 'a file that --record wrote')
    .option('--at <n>', 'facts to fold (default: all), or BATCH:ACCESS: what that access did', atOption)
    .option('--batches', 'list the batches, one a line, and nothing else')
    .option('--context <n>', 'facts to list around N', naturalNumber, 3)
    .option('--json', 'print the result as JSON')
    .action(async (path: string, flags: ReplayFlags) => {
      const history = await openHistoryFile(path);
      process.exitCode = ExitCode.clean;
      if (flags.batches === true) return listBatches(history, flags.json === true);
      if (typeof flags.at === 'object') return showAccess(history, flags.at, flags.json === true);
      const at = factNumber(flags.at, history.factCount);
      const built = await history.build();
      const world = replay(history, built, at);
      const around = history.factsBetween(
        Math.max(0, at - flags.context),
        Math.min(history.factCount, at + flags.context),
      );
      const digest = worldDigest(world);
      const { story } = built.effective;
      const initial = built.fold().initial();
      if (flags.json === true)
        printJson({
          history: path,
          at,
          facts: history.factCount,
          seed: built.effective.seed,
          digest,
          damage: history.damage,
          around,
          ...(story === undefined ? {} : { story, changed: changedSlices(world, initial) }),
          statistics: statsJson(simulatedStatistics(world, history.counterNames)),
        });
      else {
        print(`history ${path}: fact ${at} of ${history.factCount}, seed ${built.effective.seed}`);
        if (history.damage !== undefined) print(`the file is not whole: ${history.damage.what}`);
        if (story === undefined) print(runReport(world, history.counterNames));
        else print(`${playedText(story)}\n${storyWorldText(world, initial)}`);
        for (const recorded of around)
          print(`${recorded.seq === at - 1 ? '>' : ' '} ${factText(recorded.seq, recorded)}`);
        print(`world digest ${digest}`);
      }
    });
}

function atOption(text: string): number | AccessPlace {
  const [, batch, access] = /^(\d+):(\d+)$/.exec(text) ?? [];
  if (batch === undefined || access === undefined) {
    if (/^\d+$/.test(text)) return naturalNumber(text);
    throw new InvalidArgumentError('It is neither a number of facts nor BATCH:ACCESS, two natural numbers.');
  }
  return { batch: naturalNumber(batch), access: naturalNumber(access) };
}
