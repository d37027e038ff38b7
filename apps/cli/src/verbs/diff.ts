import { ExitCode } from '@tablewalk/base';
import type { Command } from 'commander';
import { diffHistoryFiles } from '../history-file.ts';
import { print, printJson } from '../output.ts';
import { factText } from '../report/run-report.ts';
import type { HistoryDifference } from '@tablewalk/history';

export function addDiff(program: Command): void {
  program
    .command('diff')
    .summary('compare two histories')
    .description('Finds the first fact in which two histories differ, and counts facts by type.')
    .argument('<a>', 'a history')
    .argument('<b>', 'another')
    .option('--json', 'print the result as JSON')
    .action(async (a: string, b: string, flags: { json?: boolean }) => {
      const { first: happened, firstMetadata, counts, factCount } = await diffHistoryFiles(a, b);
      const first = earlier(happened, firstMetadata);
      const byType = [...counts].map(([type, [inA, inB]]) => ({ type, a: inA, b: inB }));
      if (flags.json === true)
        printJson({ a, b, facts: factCount, same: first === undefined, first, counts: byType });
      else {
        if (first === undefined) print('the same facts');
        else {
          print(`first difference at fact ${first.seq}, in "${first.field}"`);
          first.facts.forEach((recorded, i) => {
            print(
              `  ${'ab'[i] ?? ''}  ${recorded === undefined ? '(has ended)' : factText(recorded.seq, recorded)}`,
            );
          });
        }
        print(`${'facts'.padEnd(24)} ${'a'.padStart(10)} ${'b'.padStart(10)}`);
        for (const { type, a: inA, b: inB } of [
          ...byType,
          { type: 'total', a: factCount[0], b: factCount[1] },
        ])
          print(
            `${type.padEnd(24)} ${String(inA).padStart(10)} ${String(inB).padStart(10)}${inA === inB ? '' : '  *'}`,
          );
      }
      process.exitCode = first === undefined ? ExitCode.clean : ExitCode.violated;
    });
}

/** The difference that comes first; of two in one fact, the one of what happened. */
function earlier(
  a: HistoryDifference | undefined,
  b: HistoryDifference | undefined,
): HistoryDifference | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.seq < a.seq ? b : a;
}
