import type { Command } from 'commander';
import { Option } from 'commander';
import { answerJson } from '../table-dump/answer-json.ts';
import { answerText } from '../table-dump/answer-text.ts';
import { answer } from '../table-dump/answer.ts';
import { formatOf, openTableDump } from '../table-dump/open.ts';
import { ACCESSES, accessOf, viewpoint, virtualAddress } from '../table-dump/question.ts';
import type { AccessName } from '../table-dump/question.ts';
import { differencesJson, differencesText, rootDifferences } from '../table-dump/root-differences.ts';
import { summary, summaryJson, summaryText } from '../table-dump/summary.ts';
import { print, printJson } from '../output.ts';
import { collect, naturalNumber } from './options.ts';

interface TranslateFlags {
  readonly tables: string;
  readonly va: readonly string[];
  readonly cpu: number;
  readonly root?: string;
  readonly access: AccessName;
  readonly user?: boolean;
  readonly diffRoots?: boolean;
  readonly json?: boolean;
}

export function addTranslate(program: Command): void {
  program
    .command('translate')
    .summary('walk the page tables of a dump')
    .description(
      "Walks translation tables that were read out of a machine's memory, level by level, as its CPUs would.",
    )
    .requiredOption('--tables <file>', 'PFX-SNAP.ptpages.bin.gz, with PFX-SNAP.meta.json.gz beside it')
    .option(
      '--va <address>',
      'virtual address, or a symbol of the dump; may be repeated; without it, a summary',
      collect,
      [],
    )
    .option('--cpu <n>', 'whose registers', naturalNumber, 0)
    .option('--root <root>', "in TTBR0: 0x..., swapper_pg_dir, a task or PID (default: the CPU's own)")
    .addOption(new Option('--access <kind>', 'what is done there').choices(ACCESSES).default('read'))
    .option('--user', 'at PL0, as user space does')
    .addOption(
      new Option('--diff-roots', "how the kernel part of each root differs from init_mm's").conflicts('va'),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
A fault is an answer, and exits with 0.

Example:
  tablewalk translate --tables machines/dumps/short-tiny.ptpages.bin.gz --va 0xbf000000 --va 0xa000 --access write`,
    )
    .action(async (flags: TranslateFlags) => {
      await translate(flags);
    });
}

async function translate(flags: TranslateFlags): Promise<void> {
  const dump = openTableDump(flags.tables);
  const view = viewpoint(dump, flags.cpu, flags.root);
  const format = await formatOf(dump, flags.cpu);
  const only = flags.root === undefined ? undefined : view.root;
  const json = flags.json === true;
  if (flags.diffRoots === true) {
    const found = rootDifferences(dump, format, only);
    if (json) printJson(differencesJson(format, found));
    else print(differencesText(dump, format, found));
  } else if (flags.va.length === 0) {
    const all = summary(dump, format, flags.cpu, only);
    if (json) printJson(summaryJson(all, flags.cpu));
    else print(summaryText(all, flags.cpu, only !== undefined));
  } else {
    const addresses = flags.va.map((text) => virtualAddress(dump, text));
    const access = accessOf(flags.access, flags.user === true);
    const answers = addresses.map((va) => answer(dump, format, view, va, access));
    if (json) printJson(answers.map((each) => answerJson(format, each)));
    else print(answers.map((each) => answerText(format, view, each)).join('\n\n'));
  }
}
