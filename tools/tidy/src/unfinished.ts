import ts from 'typescript';
import { isCode, isSpec } from './finding.ts';
import type { Finding, SourceFile } from './finding.ts';

const check = 'unfinished';
const RUNNERS = ['it', 'test', 'describe', 'suite', 'story'];
const MODIFIERS = ['skip', 'only', 'todo', 'fails'];
/** Built from halves, so that this file does not find itself. */
const NOTE = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);

/** What is in the repository works: no test is left out, and no note stands where an issue should. */
export function unfinishedCheck(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path, text }) => [
    ...(isSpec(path) ? sleepingTests(path, text) : []),
    ...(isCode(path) || /\.(md|ya?ml|json)$/.test(path) ? notes(path, text) : []),
  ]);
}

function notes(path: string, text: string): Finding[] {
  return text.split('\n').flatMap((line, index) => {
    const match = NOTE.exec(line);
    if (match === null) return [];
    return [
      {
        check,
        file: path,
        line: index + 1,
        what: `has a note ${match[0]}`,
        fix: 'do it now, or file an issue',
      },
    ];
  });
}

/** `it.skip(…)`, `describe.only.each(…)`, `test.todo(…)`. `skipIf` names its condition and may stay. */
function sleepingTests(path: string, text: string): Finding[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const findings: Finding[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && MODIFIERS.includes(node.name.text)) {
      const runner = leftmost(node.expression);
      if (runner !== undefined && RUNNERS.includes(runner.text)) {
        const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
        const what = `${runner.text}.${node.name.text} leaves tests out`;
        findings.push({ check, file: path, line, what, fix: 'run the test, or delete it' });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}

function leftmost(node: ts.Expression): ts.Identifier | undefined {
  if (ts.isIdentifier(node)) return node;
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return leftmost(node.expression);
  return undefined;
}
