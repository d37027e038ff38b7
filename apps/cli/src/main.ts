import { CodedError, ConfigError, ExitCode, nearestName } from '@tablewalk/base';
import { Command, CommanderError } from 'commander';
import { VERSION } from './install.ts';
import { SourcesNeeded } from './launch/loading.ts';
import { note } from './output.ts';
import { addVerbs } from './verbs/index.ts';

/** Runs one command line. The process's exit code says how it ended (design.md, section 8). */
export async function main(args: readonly string[]): Promise<void> {
  // A reader that went away (`| head`) is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(ExitCode.clean);
    throw error;
  });
  try {
    const program = programOf();
    refuseUnknownVerb(program, args);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof SourcesNeeded) throw error;
    process.exitCode = explain(error);
  }
}

function programOf(): Command {
  const program = new Command('tablewalk')
    .description(
      'A laboratory for operating-system memory management: run, replay, rerun and branch one machine.',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(add --help for the options)')
    .addHelpText(
      'after',
      `
Exit codes: 0 clean, 1 a property was violated or a comparison differs, 2 usage or config,
3 a rerun diverged, or a history or a page-table dump is damaged, 4 budget used up without a verdict,
70 internal error.

Example:
  tablewalk run cortex-a9-smp --trace machines/traces/true.lk.gz --trace machines/traces/ls.lk.gz`,
    );
  addVerbs(program);
  return program;
}

function refuseUnknownVerb(program: Command, args: readonly string[]): void {
  const verb = args.find((arg) => !arg.startsWith('-'));
  const known = program.commands.map((command) => command.name());
  if (verb === undefined || verb === 'help' || known.includes(verb)) return;
  const near = nearestName(verb, known);
  throw new ConfigError('VERB_UNKNOWN', {
    what: `there is no verb "${verb}"`,
    why: `the verbs are: ${known.join(', ')}`,
    fix: near === undefined ? 'see tablewalk --help' : `did you mean "${near}"?`,
  });
}

/** Says what went wrong to the person who must act, and answers the exit code. */
function explain(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.clean : ExitCode.usage;
  if (error instanceof CodedError) {
    note(error.message);
    return error.exitCode;
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  note(`INTERNAL: ${message}\n  why: a fault in Tablewalk itself\n  fix: report it with the command line`);
  if (process.env['TABLEWALK_STACK'] !== undefined && stack !== undefined) note(stack);
  else note('  at:  set TABLEWALK_STACK=1 for the stack');
  return ExitCode.internal;
}
