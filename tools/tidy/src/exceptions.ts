/**
 * Exceptions to the checks. Each has a reason and stands for one file; one that is no longer needed
 * is itself a finding, so that the lists cannot rot.
 */
export interface Exception {
  readonly file: string;
  readonly reason: string;
}

/** Source files that may be longer than LINES_MAX. */
export const LONG_FILES: readonly Exception[] = [];

/** Files below apps/ that may use what the determinism check forbids. */
export const NONDETERMINISTIC_FILES: readonly Exception[] = [];
