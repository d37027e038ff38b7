/** What a run of tests came to, as far as it matters to whoever reads one line. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The little that is needed of what vitest reports for a file. */
export interface ReportedModule {
  readonly children: { allTests(): Iterable<{ result(): { readonly state: string } }> };
  state(): string;
}

/**
 * A file that could not be loaded has no test that failed, and an unhandled error belongs to none:
 * each counts as one failure, so that `0 failed` never stands on the last line of a failed run.
 */
export function countTests(modules: Iterable<ReportedModule>, unhandledErrors: number): TestCounts {
  let passed = 0;
  let failed = unhandledErrors;
  let skipped = 0;
  for (const module of modules) {
    let failedHere = 0;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'failed') failedHere += 1;
      else skipped += 1; // also `pending`: the run ended before the test did
    }
    if (module.state() === 'failed') failedHere = Math.max(failedHere, 1);
    failed += failedHere;
  }
  return { passed, failed, skipped };
}

export function summaryLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
