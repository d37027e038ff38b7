import { CodedError, ExitCode } from '@tablewalk/base';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { families } from './families.ts';
import type { FamilyResult } from './family.ts';

const USAGE = `golden DIR [--json]
Compares Tablewalk with data from programs that we did not write: every family found under DIR.
Exit 0 only when nothing disagrees.`;

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const [root] = args.filter((arg) => !arg.startsWith('-'));
  if (args.includes('--help') || root === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return root === undefined && !args.includes('--help') ? ExitCode.usage : ExitCode.clean;
  }
  if (!existsSync(root)) {
    process.stderr.write(
      `GOLDEN_NO_FOLDER: there is no folder ${root}\n  fix: name the folder that holds traces/, traces-arm/, ...\n`,
    );
    return ExitCode.usage;
  }
  const results: FamilyResult[] = [];
  for (const family of families)
    for (const folder of family.folders(root)) {
      const result = await family.compare(folder, progress);
      results.push({ ...result, family: `${basename(folder)}/` });
      if (!json) print(results.at(-1) as FamilyResult);
    }
  const checked = results.reduce((sum, result) => sum + result.checked, 0);
  const disagree = results.reduce((sum, result) => sum + result.disagree, 0);
  if (json)
    process.stdout.write(`${JSON.stringify({ checked, disagree, families: results }, undefined, 2)}\n`);
  else process.stdout.write(`golden: ${checked} checked, ${disagree} disagree\n`);
  if (checked === 0)
    process.stderr.write(`GOLDEN_NOTHING: no family that this version knows is under ${root}\n`);
  return checked === 0 ? ExitCode.usage : disagree === 0 ? ExitCode.clean : ExitCode.violated;
}

function print({ family, checked, disagree, skipped, differences }: FamilyResult): void {
  const left = Object.entries(skipped).map(([reason, count]) => `${count} ${reason}`);
  const leftOut = left.length === 0 ? '' : `; left out: ${left.join(', ')}`;
  process.stdout.write(`${family.padEnd(14)} ${checked} checked, ${disagree} disagree${leftOut}\n`);
  for (const { what, difference } of differences.slice(0, 20))
    process.stdout.write(`  ${what}: ${difference ?? ''}\n`);
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CodedError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
