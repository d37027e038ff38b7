import { describe, expect, it } from 'vitest';
import { countTests, summaryLine } from './test-counts.ts';
import type { ReportedModule } from './test-counts.ts';

const file = (state: string, ...tests: string[]): ReportedModule => ({
  children: { allTests: () => tests.map((test) => ({ result: () => ({ state: test }) })) },
  state: () => state,
});

describe('the last line of a test run', () => {
  it('counts tests by their result', () => {
    const modules = [file('failed', 'passed', 'failed', 'failed'), file('passed', 'passed', 'skipped')];
    expect(countTests(modules, 0)).toEqual({ passed: 2, failed: 2, skipped: 1 });
  });

  it('counts a file that could not be loaded, and an unhandled error, as failures', () => {
    expect(countTests([file('failed'), file('passed', 'passed')], 1)).toEqual({
      passed: 1,
      failed: 2,
      skipped: 0,
    });
  });

  it('names skipped tests only where there are some', () => {
    expect(summaryLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
    expect(summaryLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
  });
});
