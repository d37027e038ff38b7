// @ts-check
const { formatFiles, generateFiles } = require('@nx/devkit');
const { join } = require('node:path');
const { ConfigError, namePlugin, TEMPLATES } = require('./plugin-name.js');

/**
 * A plugin with its whole anatomy: the smallest policy that works in its slot, with its source left to
 * be named. It writes below plugins/<slot>-<policy> and nowhere else.
 *
 * @param {import('@nx/devkit').Tree} tree
 * @param {{ slot: string, policy: string }} options
 */
module.exports = async function pluginGenerator(tree, options) {
  const name = namePlugin(options);
  const folder = `plugins/${name.id}`;
  if (tree.exists(folder)) {
    throw new ConfigError('PLUGIN_EXISTS', {
      what: `${folder} is there already`,
      why: 'a generator never writes over what somebody wrote',
      fix: 'choose another --policy, or delete the folder first',
      at: '--policy',
    });
  }
  generateFiles(tree, join(TEMPLATES, 'common'), folder, name);
  generateFiles(tree, join(TEMPLATES, name.slot), folder, name);
  await formatFiles(tree);
};
