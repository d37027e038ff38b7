import { ConfigError, ExitCode } from '@tablewalk/base';
import { applyOverrides, branchMachine, feedUntil, parseMachine } from '@tablewalk/compose';
import type { EffectiveConfig } from '@tablewalk/compose';
import type { Command } from 'commander';
import { branchRecorder, openHistoryFile } from '../history-file.ts';
import { buildFrom, parseOverride } from '../machine-file.ts';
import { print, printJson } from '../output.ts';
import { RecentFacts } from '../recent-facts.ts';
import { runReport, violationText } from '../report/run-report.ts';
import { simulatedStatistics, statsJson } from '../report/statistics.ts';
import { collect, factNumber, naturalNumber } from './options.ts';

interface BranchFlags {
  readonly at: number;
  readonly set: readonly string[];
  readonly record?: string;
  readonly throughViolations?: boolean;
  readonly json?: boolean;
}

export function addBranch(program: Command): void {
  program
    .command('branch')
    .summary('go on from any fact under another policy')
    .description(
      'Decides a history again up to fact N, and goes on from the next moment at which no CPU is inside a kernel ' +
        'routine, with the remaining references and the given overrides.',
    )
    .argument('<history>', 'a file that --record wrote')
    .requiredOption('--at <n>', 'facts to keep', naturalNumber)
    .option('--set <path=value>', 'override, as in run', collect, [])
    .option('--record <file>', 'write the branch, prefix and all, as a history of its own')
    .option('--through-violations', 'do not stop at the first violation')
    .option('--json', 'print the result as JSON')
    .action(async (path: string, flags: BranchFlags) => {
      const history = await openHistoryFile(path);
      const at = factNumber(flags.at, history.factCount);
      const current =
        history.segments.filter(({ from }) => from <= at).at(-1)?.config ?? history.segments[0]?.config;
      refuseStory(current, path);
      const next = await buildFrom(
        parseMachine(applyOverrides(current, flags.set.map(parseOverride)), path),
        path,
      );
      const built = await history.buildAll();
      const recorderFrom =
        flags.record === undefined ? undefined : await branchRecorder(flags.record, history, next);
      const branch = branchMachine(history, history.segments, built, at, next, recorderFrom);
      if (branch === undefined)
        throw new ConfigError('BRANCH_NOT_QUIESCENT', {
          what: `there is no place at or after fact ${at} from which a branch could go on`,
          why: 'from there to the end of the history a CPU is always inside a kernel routine',
          fix: 'branch earlier',
          at: '--at',
        });
      const { machine, feed, from, recorder } = branch;
      const recent = new RecentFacts(machine);
      const stop = (): boolean => flags.throughViolations !== true && machine.journal.violation !== undefined;
      feedUntil(machine, feed, stop);
      const digest = machine.digest();
      recorder?.close({ digest, facts: machine.world.facts });
      const { violation } = machine.journal;
      const statistics = statsJson(simulatedStatistics(machine.world, next.dataPlane.counterNames));
      const result = {
        history: path,
        at,
        from,
        seed: history.seed,
        facts: machine.world.facts,
        digest,
        violation,
        statistics,
      };
      if (flags.json === true) printJson({ ...result, record: flags.record });
      else {
        const later = from === at ? '' : ` (asked for ${at}; until then a routine was under way)`;
        print(`branched at fact ${from}${later}, seed ${history.seed}`);
        print(runReport(machine.world, next.dataPlane.counterNames));
        if (violation !== undefined) print(violationText(violation, (seq) => recent.get(seq)));
        const recorded = flags.record === undefined ? '' : `, history ${flags.record}`;
        print(`facts ${machine.world.facts}, digest ${digest}${recorded}`);
      }
      process.exitCode = violation === undefined ? ExitCode.clean : ExitCode.violated;
    });
}

/** A play has no moment at which every CPU is outside the kernel, and no references to go on with. */
function refuseStory(config: EffectiveConfig | undefined, at: string): void {
  if (config?.story === undefined) return;
  const { id, variant } = config.story;
  throw new ConfigError('BRANCH_OF_STORY', {
    what: `the history is of the story ${id}, and a story has no branches`,
    why: 'its tasks are inside kernel routines from the first step to the last',
    fix: `explore it under another policy: tablewalk explore ${id} --variant ${variant} --set ...`,
    at,
  });
}
