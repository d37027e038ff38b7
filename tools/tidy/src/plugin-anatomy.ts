import ts from 'typescript';
import type { Finding, SourceFile } from './finding.ts';

const check = 'plugin-anatomy';
const NEEDED = [
  'README.md',
  'project.json',
  'src/index.ts',
  'src/manifest.ts',
  'src/contract.spec.ts',
] as const;

/** What each file of a plugin is for, said to whoever has forgotten one. */
const PURPOSE: Readonly<Record<(typeof NEEDED)[number], string>> = {
  'README.md': 'write what the policy is, its source, knobs with defaults, costs, and one runnable example',
  'project.json': 'name the plugin and give its tags: layer:plugin, slot:<slot>, platform:any',
  'src/index.ts': 'export the manifest as default',
  'src/manifest.ts': 'define id, slot, config and create with defineManifest',
  'src/contract.spec.ts': "run the slot's contract suite from @tablewalk/testkit",
};

/** A folder you have never opened should hold no surprise (house rules, "Anatomy of a plugin"). */
export function pluginAnatomyCheck(files: readonly SourceFile[]): Finding[] {
  const plugins = new Map<string, Map<string, string>>();
  for (const { path, text } of files) {
    const [, folder, rest] = /^plugins\/([^/]+)\/(.+)$/.exec(path) ?? [];
    if (folder === undefined || rest === undefined) continue;
    if (!plugins.has(folder)) plugins.set(folder, new Map());
    plugins.get(folder)?.set(rest, text);
  }
  return [...plugins].flatMap(([folder, own]) => [
    ...NEEDED.filter((name) => !own.has(name)).map((name) => ({
      check,
      file: `plugins/${folder}`,
      what: `the plugin has no ${name}`,
      fix: PURPOSE[name],
    })),
    ...projectFindings(folder, own.get('project.json')),
    ...idFindings(folder, own.get('src/manifest.ts')),
  ]);
}

function projectFindings(folder: string, text: string | undefined): Finding[] {
  if (text === undefined) return [];
  const file = `plugins/${folder}/project.json`;
  const project = parseProject(text);
  if (project === undefined) return [{ check, file, what: 'is not valid JSON', fix: 'correct it' }];
  const { name, tags = [] } = project;
  const findings: Finding[] = [];
  if (name !== folder)
    findings.push({ check, file, what: `is called "${name}"`, fix: `call it "${folder}", as its folder` });
  for (const tag of ['layer:plugin', 'platform:any'])
    if (!tags.includes(tag))
      findings.push({ check, file, what: `has no tag ${tag}`, fix: 'add it to "tags"' });
  const slot = tags.find((tag) => tag.startsWith('slot:'))?.slice('slot:'.length);
  if (slot === undefined || !folder.startsWith(`${slot}-`))
    findings.push({
      check,
      file,
      what:
        slot === undefined ? 'has no slot tag' : `has the tag slot:${slot}, which is not how its name begins`,
      fix: 'a plugin is called <slot>-<policy> and tagged slot:<slot>',
    });
  return findings;
}

function parseProject(text: string): { name?: string; tags?: string[] } | undefined {
  try {
    // Only looked at; a wrong shape fails the comparisons that follow.
    return JSON.parse(text) as { name?: string; tags?: string[] };
  } catch {
    return undefined;
  }
}

/** Folder, `id` and the name in a machine file are the same string. */
function idFindings(folder: string, text: string | undefined): Finding[] {
  if (text === undefined) return [];
  const file = `plugins/${folder}/src/manifest.ts`;
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const findings: Finding[] = [];
  const visit = (node: ts.Node): void => {
    if (isDefineManifest(node)) {
      const id = literalId(node.arguments[0]);
      if (id !== undefined && id.text !== folder) {
        const line = source.getLineAndCharacterOfPosition(id.getStart(source)).line + 1;
        findings.push({
          check,
          file,
          line,
          what: `the id is "${id.text}"`,
          fix: `make it "${folder}", as the folder`,
        });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}

const isDefineManifest = (node: ts.Node): node is ts.CallExpression =>
  ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'defineManifest';

/** Undefined also where the id is computed: then the loader compares it with the folder. */
function literalId(manifest: ts.Expression | undefined): ts.StringLiteralLike | undefined {
  if (manifest === undefined || !ts.isObjectLiteralExpression(manifest)) return undefined;
  for (const property of manifest.properties)
    if (ts.isPropertyAssignment(property) && property.name.getText() === 'id')
      return ts.isStringLiteralLike(property.initializer) ? property.initializer : undefined;
  return undefined;
}
