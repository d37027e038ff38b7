import { ExitCode } from '@tablewalk/base';
import { rerun } from '@tablewalk/compose';
import type { Command } from 'commander';
import { openHistoryFile } from '../history-file.ts';
import { print, printJson } from '../output.ts';

export function addRerun(program: Command): void {
  program
    .command('rerun')
    .summary('decide a history again and compare every fact')
    .description(
      'Runs the recorded stimuli through the same machine again. Every fact must come out the same; ' +
        'else it says where it did not.',
    )
    .argument('<history>', 'a file that --record wrote')
    .option('--json', 'print the result as JSON')
    .action(async (path: string, flags: { json?: boolean }) => {
      const history = await openHistoryFile(path);
      const segments = history.segments;
      const machines = await history.buildAll();
      const { compared, divergence, machine } = rerun(history, segments, machines);
      const digest = machine.digest();
      const recordedDigest = history.closing?.digest;
      const same =
        divergence === undefined && compared === history.factCount && (recordedDigest ?? digest) === digest;
      if (flags.json === true)
        printJson({
          history: path,
          seed: history.seed,
          facts: history.factCount,
          compared,
          same,
          digest,
          recordedDigest,
          divergence,
        });
      else if (same) {
        print(`${compared} facts decided again, all the same; seed ${history.seed}`);
        const held =
          recordedDigest === undefined ? ' (none was recorded: the history has no end)' : ', as recorded';
        print(`digest ${digest}${held}`);
      } else if (divergence !== undefined) {
        const { seq, field, recorded, decided } = divergence;
        print(`RERUN_DIVERGED at fact ${seq}, decided by ${decided.by}: first difference in "${field}"`);
        print(`  recorded ${JSON.stringify(recorded)}`);
        print(`  decided  ${JSON.stringify(decided)}`);
      } else if (compared < history.factCount) {
        print(`RERUN_ENDED_EARLY: ${history.factCount} facts were recorded, ${compared} were decided again`);
      } else print(`RERUN_DIVERGED in the arenas: digest ${digest}, recorded ${recordedDigest}`);
      process.exitCode = same ? ExitCode.clean : ExitCode.diverged;
    });
}
