import type { Reporter } from 'vitest/node';
import { countTests, summaryLine } from './test-counts.ts';
import type { TestCounts } from './test-counts.ts';

/**
 * Ends the output of a test run with the plain line `N passed, N failed`, which CI reads. It only
 * prints: the exit code is vitest's own. It waits for the process to exit, because vitest may still
 * say something (a pool that would not close) after the last reporter was called.
 */
export default class SummaryReporter implements Reporter {
  private counts: TestCounts = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    process.once('exit', (code) => {
      // A run that fails without having said why to its reporters must not end with `0 failed`.
      const failed = code !== 0 ? Math.max(this.counts.failed, 1) : this.counts.failed;
      process.stdout.write(`${summaryLine({ ...this.counts, failed })}\n`);
    });
  }

  onTestRunEnd: NonNullable<Reporter['onTestRunEnd']> = (modules, unhandledErrors) => {
    this.counts = countTests(modules, unhandledErrors.length);
  };
}
