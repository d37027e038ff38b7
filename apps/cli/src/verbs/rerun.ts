import { ExitCode } from '@tablewalk/base';
import { rerun } from '@tablewalk/compose';
import { compareDigests } from '@tablewalk/machine';
import type { Command } from 'commander';
import { openHistoryFile } from '../history-file.ts';
import { print, printJson } from '../output.ts';

const NO_END = ' (none was recorded: the history has no end)';
const OLD_LAYOUT = ': the world as recorded; the arenas of the version that recorded it had another layout';

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
      const ends = compareDigests(recordedDigest ?? digest, digest);
      const same = divergence === undefined && compared === history.factCount && ends !== 'different';
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
        print(
          `digest ${digest}${recordedDigest === undefined ? NO_END : ends === 'same' ? ', as recorded' : OLD_LAYOUT}`,
        );
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
