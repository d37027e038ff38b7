// @ts-check
const FOLDER = 'docs/adr';

/**
 * The next decision record. Numbers are never reused: the next one follows the highest there is.
 *
 * @param {import('@nx/devkit').Tree} tree
 * @param {{ title: string }} options
 */
module.exports = async function adrGenerator(tree, { title }) {
  const numbers = tree
    .children(FOLDER)
    .map((name) => /^(\d{4})-.+\.md$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number);
  const number = Math.max(0, ...numbers) + 1;
  const sentence = title.trim().replace(/\.$/, '');
  const slug = sentence
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  tree.write(`${FOLDER}/${String(number).padStart(4, '0')}-${slug}.md`, record(number, sentence));
};

const record = (/** @type {number} */ number, /** @type {string} */ title) => `# ${number}. ${title}

Status: proposed.

**Context.** What forces a decision, and what it must keep true.

**Options.**
1. The first, with its numbers and how they were measured.
2. The second, with its numbers.

**Decision.** Option 1, because …

**Consequences.** What becomes easier, and what harder.

**What would change our mind.** The evidence that would.
`;
