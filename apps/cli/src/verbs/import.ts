import { ConfigError } from '@tablewalk/base';
import { BinaryTraceWriter, TRACE_FORMATS } from '@tablewalk/trace';
import type { BinaryTraceClose, TraceFormat } from '@tablewalk/trace';
import type { Command } from 'commander';
import { Option } from 'commander';
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { loadCodec } from '../codec.ts';
import { note, print, printJson, Progress } from '../output.ts';
import { TraceFile } from '../trace-file.ts';

interface ImportFlags {
  readonly to: string;
  readonly format?: TraceFormat;
  readonly rebase?: boolean;
  readonly skipBadLines?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function addImport(program: Command): void {
  const verb = program
    .command('import')
    .summary('bring data of other programs into a form that is fast to read');
  verb
    .command('trace')
    .summary('make a binary trace of a text or ChampSim trace')
    .description('Writes the references of a trace, plain or compressed by gzip or xz, as a binary trace.')
    .argument('<trace>', 'lackey or din text, ChampSim records, or a binary trace')
    .requiredOption('--to <file>', 'the binary trace to write; a file of that name is replaced')
    .addOption(
      new Option(
        '--format <name>',
        'what the trace is (default: told by its content, else by its name)',
      ).choices(TRACE_FORMATS),
    )
    .option('--rebase', 'fold addresses of 2^32 and above into a 32-bit address space, and say how')
    .option('--skip-bad-lines', 'count malformed lines or records and go on')
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'no progress on stderr')
    .addHelpText(
      'after',
      `
Example:
  tablewalk import trace machines/traces/ls.lk.gz --to ls.twt
  tablewalk run cortex-a9-smp --trace ls.twt`,
    )
    .action(async (trace: string, flags: ImportFlags) => {
      await importTrace(trace, flags);
    });
}

async function importTrace(path: string, flags: ImportFlags): Promise<void> {
  const { to, format, rebase = false, skipBadLines = false, json = false } = flags;
  const file = new TraceFile(path, { rebase, skipBadLines, ...(format === undefined ? {} : { format }) });
  const progress = new Progress(flags.quiet === true || json);
  const codec = await loadCodec();
  // Under another name until it is whole: what is at `to` may be the trace that is read.
  const unfinished = `${to}.part`;
  const target = whileWriting(to, () => openForWriting(unfinished, to));
  let written: { bytes: number; close: BinaryTraceClose };
  try {
    const write = (bytes: Uint8Array): void => whileWriting(to, () => writeAll(target, bytes));
    const writer = new BinaryTraceWriter(write, codec, basename(path));
    for (let batch = await file.next(); batch !== undefined; batch = await file.next()) {
      writer.batch(batch);
      progress.show(() => `${file.reader.references.toLocaleString('en-US')} references`);
    }
    const close = writer.close();
    written = { bytes: writer.bytes, close };
    whileWriting(to, () => {
      closeSync(target);
      renameSync(unfinished, to);
    });
  } catch (error) {
    if (existsSync(unfinished)) rmSync(unfinished);
    throw error;
  } finally {
    progress.clear();
  }
  report(file, to, written, json);
}

function report(
  { path, format, reader, rebase }: TraceFile,
  to: string,
  { bytes, close: { references, addressBits } }: { bytes: number; close: BinaryTraceClose },
  json: boolean,
): void {
  const bytesPerReference = references === 0 ? 0 : bytes / references;
  const { badLines, firstBadLine } = reader;
  if (json)
    return printJson({
      trace: path,
      format,
      to,
      references,
      addressBits,
      bytes,
      bytesPerReference,
      badLines,
      ...(rebase === undefined ? {} : { rebased: rebase.summary() }),
    });
  if (badLines > 0)
    note(`${path}: ${badLines} malformed lines passed over; the first: ${firstBadLine ?? ''}`);
  for (const { from, to: place, bytes: moved } of rebase?.summary().moves ?? [])
    note(`${path}: rebased 0x${from.toString(16)} to 0x${place.toString(16)} (${moved / 2 ** 20} MiB)`);
  print(
    `${to}: ${references} references of ${addressBits} bits from ${format} ${path}, ` +
      `${bytes} bytes, ${bytesPerReference.toFixed(3)} bytes per reference`,
  );
}

/** A folder or a device of that name is not replaced. */
function openForWriting(path: string, to: string): number {
  if (existsSync(to) && !statSync(to).isFile())
    throw new Error('there is something of that name, and it is no file');
  return openSync(path, 'w');
}

/** Does a step of writing; whatever the system refuses is the user's to mend. */
function whileWriting<T>(to: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw new ConfigError('IMPORT_UNWRITABLE', {
      what: `${to} cannot be written`,
      why: error instanceof Error ? error.message : String(error),
      fix: 'name a file in a folder that exists, may be written to and has room',
    });
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}
