import { defineConfig } from 'vitest/config';

/** One configuration for every project. No test asserts on time; the limits only end what hangs. */
export default defineConfig({
  test: {
    include: ['{packages,plugins,apps}/**/src/**/*.spec.ts', 'tools/**/*.spec.ts', 'docs/**/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/.nx/**', 'tmp/**'],
    environment: 'node',
    pool: 'threads',
    // The runner would leave one core idle, which is half of a small machine.
    maxWorkers: '100%',
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 20_000,
    allowOnly: false,
    reporters: ['default', './tools/test-summary/src/summary-reporter.ts'],
  },
});
