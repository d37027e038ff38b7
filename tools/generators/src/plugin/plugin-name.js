// @ts-check
/**
 * Names of a new plugin, or a refusal that helps. Slots and the style of refusals are those of the
 * packages themselves: tsx translates them, because Nx loads generators as plain JavaScript.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const tsx = require('tsx/cjs/api');
/** @type {typeof import('@tablewalk/base')} */
const { ConfigError, nearestName } = tsx.require('@tablewalk/base', __filename);
/** @type {typeof import('@tablewalk/contracts')} */
const { SLOTS } = tsx.require('@tablewalk/contracts', __filename);

const TEMPLATES = join(__dirname, 'files');
/** Files of the anatomy, whose names a policy's own file must not take. */
const TAKEN = ['index', 'manifest', 'react', 'contract'];

/**
 * @typedef {object} PluginName
 * @property {string} slot
 * @property {string} policy      dashed, also the name of the algorithm's file
 * @property {string} id          `<slot>-<policy>`
 * @property {string} identifier  the policy in code
 */

/**
 * @param {{ slot: string, policy: string }} options
 * @returns {PluginName}
 */
function namePlugin({ slot, policy }) {
  refuseSlot(slot);
  // Whoever gives the whole id means the same plugin.
  const short = policy.startsWith(`${slot}-`) ? policy.slice(slot.length + 1) : policy;
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(short) || TAKEN.includes(short)) {
    throw new ConfigError('POLICY_NAME', {
      what: `"${policy}" cannot be the name of a policy`,
      why: `it names the folder plugins/${slot}-<policy> and, beside ${TAKEN.join(', ')}, the file src/<policy>.ts`,
      fix: 'use lower-case letters and digits, with dashes between words: tree-plru',
      at: '--policy',
    });
  }
  const id = `${slot}-${short}`;
  return { slot, policy: short, id, identifier: identifierOf(short) ?? /** @type {string} */ (camel(id)) };
}

function refuseSlot(/** @type {string} */ slot) {
  if (!Object.hasOwn(SLOTS, slot)) {
    const known = Object.keys(SLOTS);
    const near = nearestName(slot, known);
    throw new ConfigError('SLOT_UNKNOWN', {
      what: `there is no slot "${slot}"`,
      why: `the slots of a machine are ${known.join(', ')}`,
      fix: near === undefined ? 'name one of these' : `did you mean "${near}"?`,
      at: '--slot',
    });
  }
  if (!existsSync(join(TEMPLATES, slot))) {
    throw new ConfigError('SLOT_NO_TEMPLATE', {
      what: `there is no template for the slot "${slot}"`,
      why: 'a template must be a policy that works, and nobody has written a smallest one for it yet',
      fix: `begin with a copy of a plugin of the slot (npx tablewalk plugins list), or add src/plugin/files/${slot}`,
      at: '--slot',
    });
  }
}

const camel = (/** @type {string} */ dashed) => dashed.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

/** Undefined for what is no identifier: `2q`, `new`. */
function identifierOf(/** @type {string} */ policy) {
  const name = camel(policy);
  try {
    new Function(`'use strict'; const ${name} = 0;`);
    return name;
  } catch {
    return undefined;
  }
}

module.exports = { namePlugin, ConfigError, TEMPLATES };
