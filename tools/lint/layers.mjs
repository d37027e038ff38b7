// @ts-check
/**
 * Who may import whom, as data. eslint.config.mjs turns these tables into rules; the reasons are in
 * the house rules ("Who may import whom") and are printed with every refusal.
 *
 * 1. A project is refused every dependency that no table grants; one without tags gets none.
 * 2. Granted edges are acyclic: base <- contracts <- arena, kernel <- compose <- testkit <- app, tool.
 */

/** What source files may import, by tag. All rows that match a project must agree. */
export const DEPENDENCIES = {
  'layer:base': [],
  'layer:contracts': ['layer:base'],
  'layer:arena': ['layer:base', 'layer:contracts'],
  'layer:kernel': ['layer:base', 'layer:contracts', 'layer:kernel'],
  'layer:plugin': ['layer:base', 'layer:contracts', 'layer:arena'],
  'layer:compose': ['layer:base', 'layer:contracts', 'layer:arena', 'layer:kernel'],
  // Contract suites run a plugin in a whole machine, which compose builds.
  'layer:testkit': ['layer:base', 'layer:contracts', 'layer:arena', 'layer:kernel', 'layer:compose'],
  // An app reads traces, prints coded errors and records histories: it uses the kernel as a user does. It shows
  // descriptors by the manual's fields, which the arena layer decodes.
  'layer:app': [
    'layer:base',
    'layer:contracts',
    'layer:arena',
    'layer:kernel',
    'layer:compose',
    'layer:testkit',
    'layer:plugin',
  ],
  'layer:tool': [
    'layer:base',
    'layer:contracts',
    'layer:arena',
    'layer:kernel',
    'layer:compose',
    'layer:testkit',
    'layer:plugin',
    'layer:tool',
  ],
  // Inside the kernel: explore -> stories -> machine -> history -> references <- trace; table-dump stands alone.
  'scope:references': ['layer:base', 'layer:contracts'],
  'scope:history': ['layer:base', 'layer:contracts', 'scope:references'],
  'scope:trace': ['layer:base', 'layer:contracts', 'scope:references'],
  'scope:table-dump': ['layer:base', 'layer:contracts'],
  'scope:curves': ['layer:base', 'layer:contracts'],
  'scope:plot': ['layer:base'],
  'scope:machine': ['layer:base', 'layer:contracts', 'scope:history'],
  'scope:stories': ['layer:base', 'layer:contracts', 'scope:machine'],
  'scope:explore': ['layer:base', 'layer:contracts', 'scope:history', 'scope:machine', 'scope:stories'],
  'platform:any': ['platform:any'],
  'platform:browser': ['platform:any', 'platform:browser'],
  'platform:node': ['platform:any', 'platform:node'],
};

/**
 * External modules that are not for everyone. `where` decides for one kind of source files of a
 * project by its tags; spec files are bound only where `specsToo` says so.
 *
 * @typedef {object} Ban
 * @property {string} regex        of the module names
 * @property {string} message      why, and what to do instead
 * @property {(tags: readonly string[]) => boolean} where
 * @property {string} [exceptFile] a file name in which the module is at home
 * @property {boolean} [specsToo]
 */

/** @param {...string} wanted */
const anyOf =
  (...wanted) =>
  (/** @type {readonly string[]} */ tags) =>
    wanted.some((tag) => tags.includes(tag));

const DATA_PLANE = ['layer:base', 'layer:arena', 'scope:references', 'scope:trace'];

/** @param {readonly string[]} builtins names without the `node:` prefix
 *  @returns {readonly Ban[]} */
export const bans = (builtins) => [
  {
    regex: '^(inversify|reflect-metadata)(/|$)',
    message: 'Only compose and testkit wire. Name a slot in `requires`; `create` gets its plugin.',
    where: (tags) => !anyOf('layer:compose', 'layer:testkit')(tags),
    specsToo: true,
  },
  {
    regex: '^rxjs(/|$)',
    message: 'The data plane and its words know no streams: publish counters in a fact.',
    where: anyOf(...DATA_PLANE),
  },
  {
    regex: '^rxjs(/|$)',
    message: "RxJS lives in a plugin's src/react.ts alone: algorithms stay readable beside their source.",
    // A checker is nothing but its reaction.
    where: (tags) => tags.includes('layer:plugin') && !tags.includes('slot:checker'),
    exceptFile: 'src/react.ts',
  },
  {
    regex: '^immer(/|$)',
    message: 'The data plane writes arenas in place; immutable slices are for the kernel to produce.',
    where: anyOf(...DATA_PLANE),
  },
  {
    regex: `^(node:.*|(${builtins.join('|')})(/.*)?)$`,
    message:
      'Below apps/ everything runs in a browser too. Take the bytes as an argument; apps and tools do I/O.',
    where: (tags) => !anyOf('platform:node')(tags),
  },
  {
    regex: '^(vitest|fast-check)(/|$)',
    message: 'Test libraries belong in spec files and in testkit.',
    where: (tags) => !anyOf('layer:testkit', 'layer:tool')(tags),
  },
];

/**
 * Imports that a kind of files may do against the tables, each with the reason.
 * @type {readonly { files: string[], allow: string[], reason: string }[]}
 */
export const ALLOWED = [
  {
    files: ['docs/examples/lost-update.ts'],
    allow: ['@tablewalk/stories'],
    reason: "A third party's story imports what stories are made of; the other examples are plugins.",
  },
  {
    files: ['eslint.config.mjs'],
    allow: ['./tools/lint/layers.mjs', './tools/lint/project-rules.mjs'],
    reason: 'A configuration at the top belongs to no project.',
  },
  {
    files: ['tools/golden/**/*.ts', 'tools/bench/**/*.ts'],
    allow: ['../../../apps/cli/src/index.ts'],
    reason: 'Golden counts and measured speeds must come out of the ordinary run path, not of one beside it.',
  },
];

/**
 * Files whose factory may be longer than others', each with the reason.
 * @type {readonly { file: string, reason: string }[]}
 */
export const LONG_FACTORIES = [
  {
    file: 'plugins/tlb-set-associative/src/tlb-engine.ts',
    reason: 'The arenas are closure variables, which the loops read without a property lookup.',
  },
];

/**
 * Needed exceptions to the bans, each with a reason and the name of who answers for it.
 * @type {readonly { file: string, module: string, reason: string, name: string }[]}
 */
export const EXCEPTIONS = [];
