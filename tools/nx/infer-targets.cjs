// @ts-check
/**
 * Gives every project its targets, so that a project.json says only what is its own: name and tags.
 * A target written in a project.json wins over the one inferred here.
 *
 * Plain CommonJS: Nx loads it before anything could translate TypeScript.
 */
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { createNodesFromFiles } = require('@nx/devkit');

/** These see no plugin but their own: their tests need not run again when some plugin changes. */
const PLUGIN_BLIND_LAYERS = ['layer:base', 'layer:contracts', 'layer:arena'];

/** @param {readonly string[]} tags */
function testInputs(tags) {
  const own = ['default', '^default', '{workspaceRoot}/vitest.config.ts'];
  // Plugins are found at run time by looking into plugins/, which no import tells Nx.
  return PLUGIN_BLIND_LAYERS.some((layer) => tags.includes(layer)) ? own : [...own, 'composition'];
}

/**
 * @param {string} root
 * @param {readonly string[]} tags
 * @returns {Record<string, import('@nx/devkit').TargetConfiguration>}
 */
function targetsOf(root, tags) {
  const inWorkspace = { cwd: '{workspaceRoot}' };
  return {
    test: {
      executor: 'nx:run-commands',
      options: { ...inWorkspace, command: `vitest run ${root}/ --passWithNoTests` },
      inputs: testInputs(tags),
    },
    lint: { executor: 'nx:run-commands', options: { ...inWorkspace, command: `eslint ${root}` } },
  };
}

/** The workspace itself: what is checked once for all projects. */
const WORKSPACE_TARGETS = {
  typecheck: {
    executor: 'nx:run-commands',
    options: { cwd: '{workspaceRoot}', command: 'tsc -p tsconfig.json' },
  },
};

/** @type {import('@nx/devkit').CreateNodesV2} */
const createNodes = [
  '{project.json,**/project.json}',
  (files, options, context) =>
    createNodesFromFiles(
      (file) => {
        const root = dirname(file);
        const { tags = [] } = JSON.parse(readFileSync(join(context.workspaceRoot, file), 'utf8'));
        const targets = root === '.' ? WORKSPACE_TARGETS : targetsOf(root, tags);
        return { projects: { [root]: { targets } } };
      },
      files,
      options,
      context,
    ),
];

module.exports = { name: 'tablewalk-targets', createNodes };
