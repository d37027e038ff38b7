import { ExitCode } from '@tablewalk/base';
import type { Command } from 'commander';
import { diffHistoryFiles } from '../history-file.ts';
import { print, printJson } from '../output.ts';

export function addDiff(program: Command): void {
  program
    .command('diff')
    .summary('compare two histories')
    .description('Finds the first fact in which two histories differ, and counts facts by type.')
    .argument('<a>', 'a history')
    .argument('<b>', 'another')
    .option('--json', 'print the result as JSON')
    .action(async (a: string, b: string, flags: { json?: boolean }) => {
      const { first, counts } = await diffHistoryFiles(a, b);
      if (flags.json === true) printJson({ a, b, same: first === undefined, first, counts });
      else {
        if (first === undefined) print('the same facts');
        else {
          print(`first difference at fact ${first.seq}: ${first.field}`);
          print(`  a  ${first.a === undefined ? '(ended)' : JSON.stringify(first.a)}`);
          print(`  b  ${first.b === undefined ? '(ended)' : JSON.stringify(first.b)}`);
        }
        print(`${'fact'.padEnd(24)} ${'a'.padStart(10)} ${'b'.padStart(10)}`);
        for (const { type, a: inA, b: inB } of counts)
          print(`${type.padEnd(24)} ${String(inA).padStart(10)} ${String(inB).padStart(10)}${inA === inB ? '' : '  *'}`);
      }
      process.exitCode = first === undefined ? ExitCode.clean : ExitCode.violated;
    });
}
