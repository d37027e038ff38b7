import { LONG_FILES } from './exceptions.ts';
import type { Exception } from './exceptions.ts';
import { isCode } from './finding.ts';
import type { Finding, SourceFile } from './finding.ts';

const check = 'file-shape';
/** A file is read in one sitting. */
export const LINES_MAX = 400;
/** Prettier breaks code at 110; comments and strings get a little room. */
export const COLUMNS_MAX = 119;

export function fileShapeCheck(
  files: readonly SourceFile[],
  longFiles: readonly Exception[] = LONG_FILES,
): Finding[] {
  const findings: Finding[] = [];
  const needed = new Set<string>();
  const excepted = new Set(longFiles.map(({ file }) => file));
  for (const { path, text } of files) {
    if (!isCode(path)) continue;
    const lines = text.replace(/\n$/, '').split('\n');
    if (lines.length > LINES_MAX) {
      needed.add(path);
      if (!excepted.has(path))
        findings.push({
          check,
          file: path,
          what: `has ${lines.length} lines, more than ${LINES_MAX}`,
          fix: 'split it where it has two subjects, or list it with a reason in tools/tidy/src/exceptions.ts',
        });
    }
    lines.forEach((line, index) => {
      const columns = [...line].length;
      if (columns > COLUMNS_MAX)
        findings.push({
          check,
          file: path,
          line: index + 1,
          what: `has ${columns} columns, more than ${COLUMNS_MAX}`,
          fix: 'npm run format breaks code; break comments and strings by hand',
        });
    });
  }
  for (const { file } of longFiles)
    if (!needed.has(file))
      findings.push({
        check,
        file,
        what: 'is excepted from the limit on length and does not need to be',
        fix: 'remove it from tools/tidy/src/exceptions.ts',
      });
  return findings;
}
