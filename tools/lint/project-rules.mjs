// @ts-check
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { ALLOWED, bans, DEPENDENCIES, EXCEPTIONS } from './layers.mjs';

const builtins = builtinModules.filter((name) => !name.startsWith('_') && !name.includes('/'));
const BANS = bans(builtins);
/** Packages that testkit imports and whose spec files import testkit. (`*` would include testkit itself.) */
const TESTED_WITH_TESTKIT = [
  'base',
  'contracts',
  'arena',
  'history',
  'machine',
  'explore',
  'stories',
  'trace',
  'compose',
];

/** Tags of every project, by folder. Plugins that nobody has heard of yet are found here too. */
export function projectTags(/** @type {string} */ workspace) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const parent of ['packages', 'plugins', 'apps', 'tools', 'docs']) {
    const folders = existsSync(join(workspace, parent)) ? readdirSync(join(workspace, parent)) : [];
    for (const folder of folders.sort()) {
      const file = join(workspace, parent, folder, 'project.json');
      if (existsSync(file))
        found.set(`${parent}/${folder}`, JSON.parse(readFileSync(file, 'utf8')).tags ?? []);
    }
  }
  return found;
}

/**
 * `@nx/enforce-module-boundaries` for source or for spec files.
 * @param {{ specs: boolean, allow?: string[] }} kind
 * @returns {['error', object]}
 */
export function boundaries({ specs, allow = [] }) {
  const rows = Object.entries(DEPENDENCIES)
    // A spec file runs on Node, whatever the code that it tests runs on.
    .filter(([sourceTag]) => !specs || !sourceTag.startsWith('platform:'))
    .map(([sourceTag, allowed]) => ({
      sourceTag,
      onlyDependOnLibsWithTags: specs ? [...allowed, 'layer:testkit'] : allowed,
    }));
  return [
    'error',
    {
      allow,
      depConstraints: rows,
      // Spec files import testkit, which imports what they test. Source files may not (the rows above).
      ignoredCircularDependencies: TESTED_WITH_TESTKIT.map((name) => ['testkit', name]),
    },
  ];
}

/** The imports that are allowed against the tables. */
export const allowedImports = () =>
  ALLOWED.map(({ files, allow }) => ({
    files,
    rules: { '@nx/enforce-module-boundaries': boundaries({ specs: true, allow }) },
  }));

/**
 * `no-restricted-imports` for the source files and for the spec files of one project.
 * @param {string} root
 * @param {readonly string[]} tags
 */
export function bannedImports(root, tags) {
  const own = BANS.filter((ban) => ban.where(tags));
  const source = `${root}/**/*.{ts,mts,js,mjs}`;
  const spec = `${root}/**/*.{spec,bench,fixture}.ts`;
  const homes = new Set(own.flatMap((ban) => ban.exceptFile ?? []));
  const blocks = [
    { files: [source], rules: restricted(own) },
    ...[...homes].map((home) => ({
      files: [`${root}/${home}`],
      rules: restricted(own.filter((ban) => ban.exceptFile !== home)),
    })),
    { files: [spec], rules: restricted(own.filter((ban) => ban.specsToo === true)) },
  ];
  for (const { file, module } of EXCEPTIONS.filter((exception) => exception.file.startsWith(`${root}/`))) {
    const others = own.filter((ban) => !new RegExp(ban.regex).test(module));
    blocks.push({ files: [file], rules: restricted(others) });
  }
  return blocks;
}

/** @param {readonly { regex: string, message: string }[]} list
 *  @returns {Record<string, import('eslint').Linter.RuleEntry>} */
function restricted(list) {
  if (list.length === 0) return { 'no-restricted-imports': 'off' };
  const patterns = list.map(({ regex, message }) => ({ regex, message }));
  return { 'no-restricted-imports': ['error', { patterns }] };
}
