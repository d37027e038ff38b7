import ts from 'typescript';
import { GLOBAL_OBJECTS, GLOBALS, MEMBERS, MODULES, SYNTAX } from './determinism-rules.ts';
import type { ForbiddenUse } from './determinism-rules.ts';

/**
 * Finds what would make a run depend on anything but its config, seed and stimuli: clocks, chance,
 * timers, promises. It reads syntax, so words in comments and strings do not count, and it resolves
 * names, so a parameter called `performance` does not either.
 *
 * Limit of the claim: it sees what the text names. It does not follow a value that hides a global
 * (`const g = globalThis; g['Da' + 'te']`); the contract suites rerun every plugin to catch that.
 *
 * It needs nothing but the text, so that a loader can name a third party's plugin with it, too.
 */
export interface Nondeterminism extends ForbiddenUse {
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** `Date`, `Math.random`, `await`, `timer from rxjs`, ... */
  readonly name: string;
}

export function findNondeterminism(text: string, fileName = 'source.ts'): Nondeterminism[] {
  const { source, checker } = parse(text, fileName);
  const found: Nondeterminism[] = [];
  const report = (node: ts.Node, name: string, use: ForbiddenUse | undefined): void => {
    if (use === undefined) return;
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    found.push({ line: line + 1, column: character + 1, name, ...use });
  };
  // The checker knows no library: what has a declaration has it in this file.
  const isGlobal = (node: ts.Node): node is ts.Identifier =>
    ts.isIdentifier(node) && !checker.resolveName(node.text, node, ANY_MEANING, false)?.declarations?.length;

  const visit = (node: ts.Node): void => {
    for (const [where, name, use] of usesOf(node, isGlobal)) report(where, name, use);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found.sort((a, b) => a.line - b.line || a.column - b.column);
}

const ANY_MEANING = ts.SymbolFlags.Value | ts.SymbolFlags.Type | ts.SymbolFlags.Alias;

type IsGlobal = (node: ts.Node) => node is ts.Identifier;
type Use = readonly [where: ts.Node, name: string, use: ForbiddenUse | undefined];

function usesOf(node: ts.Node, isGlobal: IsGlobal): Use[] {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return importedUses(node);
  if (ts.isIdentifier(node) && !isNameOnly(node) && isGlobal(node))
    return [[node, node.text, globalNamed(node.text)]];
  if (ts.isPropertyAccessExpression(node))
    return memberUse(node.name, node.expression, node.name.text, isGlobal);
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression))
    return memberUse(node.argumentExpression, node.expression, node.argumentExpression.text, isGlobal);
  if (ts.isBindingElement(node)) return destructuredUse(node, isGlobal);
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return [[node, 'async', SYNTAX.async]];
  if (ts.isAwaitExpression(node)) return [[node, 'await', SYNTAX.await]];
  if (node.kind === ts.SyntaxKind.AwaitKeyword) return [[node, 'for await', SYNTAX.await]];
  if (node.kind === ts.SyntaxKind.ImportKeyword && node.parent && ts.isCallExpression(node.parent))
    return [[node, 'import()', SYNTAX['import()']]];
  return [];
}

/** Own properties only: `toString` is no rule. */
const ruleIn = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
const globalNamed = (name: string): ForbiddenUse | undefined => ruleIn(GLOBALS, name);

/** `Math.random`, `globalThis.Date`, `globalThis.Math.random`, and the same with brackets. */
function memberUse(where: ts.Node, object: ts.Expression, member: string, isGlobal: IsGlobal): Use[] {
  if (ts.isIdentifier(object)) {
    if (!isGlobal(object)) return [];
    if (GLOBAL_OBJECTS.includes(object.text)) return [[where, member, globalNamed(member)]];
    return [[where, `${object.text}.${member}`, ruleIn(ruleIn(MEMBERS, object.text) ?? {}, member)]];
  }
  const inner = ts.isPropertyAccessExpression(object) ? object : undefined;
  if (inner === undefined || !isGlobal(inner.expression) || !GLOBAL_OBJECTS.includes(inner.expression.text))
    return [];
  const owner = inner.name.text;
  return [[where, `${owner}.${member}`, ruleIn(ruleIn(MEMBERS, owner) ?? {}, member)]];
}

/** `const { random } = Math`. */
function destructuredUse(node: ts.BindingElement, isGlobal: IsGlobal): Use[] {
  const declaration = node.parent.parent;
  const key = node.propertyName ?? node.name;
  if (
    !ts.isVariableDeclaration(declaration) ||
    declaration.initializer === undefined ||
    !ts.isIdentifier(key)
  )
    return [];
  return memberUse(key, declaration.initializer, key.text, isGlobal);
}

function importedUses(node: ts.ImportDeclaration | ts.ExportDeclaration): Use[] {
  const specifier = node.moduleSpecifier;
  if (specifier === undefined || !ts.isStringLiteral(specifier)) return [];
  const elements = namesImported(node);
  return MODULES.filter(({ module }) => module.test(specifier.text)).flatMap(({ names, use }): Use[] => {
    if (names === undefined) return [[specifier, specifier.text, use]];
    return elements
      .filter((element) => names.includes(importedName(element)))
      .map((element) => [element, `${importedName(element)} from ${specifier.text}`, use]);
  });
}

const importedName = (element: ts.ImportSpecifier | ts.ExportSpecifier): string =>
  (element.propertyName ?? element.name).text;

function namesImported(
  node: ts.ImportDeclaration | ts.ExportDeclaration,
): readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] {
  const clause = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
  return clause !== undefined && (ts.isNamedImports(clause) || ts.isNamedExports(clause))
    ? clause.elements
    : [];
}

/** An identifier that names a member, a key or a label, not a variable. */
function isNameOnly(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return true;
  if (ts.isShorthandPropertyAssignment(parent)) return false; // `{ performance }` reads the variable
  const named = parent as { name?: ts.Node };
  return named.name === node;
}

function parse(text: string, fileName: string): { source: ts.SourceFile; checker: ts.TypeChecker } {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.ES2022, true);
  const host: ts.CompilerHost = {
    getSourceFile: (name) => (name === fileName ? source : undefined),
    getDefaultLibFileName: () => '',
    writeFile: () => undefined,
    getCurrentDirectory: () => '',
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    fileExists: (name) => name === fileName,
    readFile: () => undefined,
  };
  const options = { noLib: true, noResolve: true, types: [], allowJs: true, target: ts.ScriptTarget.ES2022 };
  return { source, checker: ts.createProgram([fileName], options, host).getTypeChecker() };
}
