// @ts-check
import eslint from '@eslint/js';
import nx from '@nx/eslint-plugin';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import tseslint from 'typescript-eslint';
import { LONG_FACTORIES } from './tools/lint/layers.mjs';
import { allowedImports, bannedImports, boundaries, projectTags } from './tools/lint/project-rules.mjs';

const workspace = dirname(fileURLToPath(import.meta.url));
const specFiles = ['**/*.spec.ts', '**/*.bench.ts', '**/*.fixture.ts'];

/** Style and shape are prettier's and `npm run tidy`'s; here stands what needs to understand the code. */
export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', '.nx/**', 'tmp/**', '**/fixtures/**', '**/*.d.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  ...tseslint.configs.recommended,
  {
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': boundaries({ specs: false }),
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // A routine that has nothing to do on this hardware is still a routine: it takes no step.
      'require-yield': 'off',
      eqeqeq: 'error',
      'no-var': 'error',
      // The aim is a screen (70 lines). A factory holds its methods, each short, and may be longer.
      'max-lines-per-function': ['error', { max: 100, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: specFiles,
    rules: { '@nx/enforce-module-boundaries': boundaries({ specs: true }), 'max-lines-per-function': 'off' },
  },
  // A suite is one function of many examples, as a spec file is.
  { files: ['packages/testkit/src/**/*-suite.ts'], rules: { 'max-lines-per-function': 'off' } },
  { files: LONG_FACTORIES.map(({ file }) => file), rules: { 'max-lines-per-function': 'off' } },
  ...allowedImports(),
  // Apps and tools are the only code with promises, and type-aware rules cost only there.
  {
    files: ['apps/*/src/**/*.ts', 'tools/*/src/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: workspace } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
    },
  },
  {
    files: ['packages/**/*.ts', 'plugins/**/*.ts'],
    ignores: specFiles,
    rules: { 'no-console': 'error' },
  },
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        __dirname: 'readonly',
        __filename: 'readonly',
      },
    },
    rules: { 'no-undef': 'error' },
  },
  {
    files: ['**/*.cjs', 'tools/generators/**/*.js'],
    languageOptions: { sourceType: 'commonjs' },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  ...[...projectTags(workspace)].flatMap(([root, tags]) => bannedImports(root, tags)),
);
