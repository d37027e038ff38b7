import { findNondeterminism } from './determinism.ts';
import { NONDETERMINISTIC_FILES } from './exceptions.ts';
import type { Exception } from './exceptions.ts';
import { isCode, isSpec } from './finding.ts';
import type { Finding, SourceFile } from './finding.ts';

const check = 'determinism';

/** Below apps/ a run is synchronous and seeded: no clock, chance, timer or promise. */
export function determinismCheck(
  files: readonly SourceFile[],
  exceptions: readonly Exception[] = NONDETERMINISTIC_FILES,
): Finding[] {
  const excepted = new Set(exceptions.map(({ file }) => file));
  const needed = new Set<string>();
  const findings: Finding[] = [];
  for (const { path, text } of files) {
    if (!/^(packages|plugins)\//.test(path) || !isCode(path) || isSpec(path)) continue;
    for (const { line, name, why, instead } of findNondeterminism(text, path)) {
      needed.add(path);
      if (excepted.has(path)) continue;
      findings.push({ check, file: path, line, what: `${name} ${why}${ofPlugin(path)}`, fix: instead });
    }
  }
  for (const { file } of exceptions)
    if (!needed.has(file))
      findings.push({
        check,
        file,
        what: 'is excepted from the determinism check and does not need to be',
        fix: 'remove it from tools/tidy/src/exceptions.ts',
      });
  return findings;
}

function ofPlugin(path: string): string {
  const id = /^plugins\/([^/]+)\//.exec(path)?.[1];
  return id === undefined ? '' : ` (plugin ${id})`;
}
