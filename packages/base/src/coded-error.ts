/**
 * An expected refusal. It speaks to the person who must act: what happened, why it matters, how to
 * mend it, and where. `docs/errors.md` is generated from the codes.
 */
export interface ErrorReport {
  readonly what: string;
  readonly why?: string;
  readonly fix?: string;
  readonly at?: string;
}

/** The exit codes of the command line (design.md, section 8). */
export const ExitCode = {
  clean: 0,
  violated: 1,
  usage: 2,
  diverged: 3,
  unfinished: 4,
  internal: 70,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export class CodedError extends Error {
  override readonly name: string = 'CodedError';
  constructor(
    readonly code: string,
    readonly report: ErrorReport,
    readonly exitCode: ExitCode = ExitCode.usage,
  ) {
    super(formatReport(code, report));
  }
}

export function formatReport(code: string, report: ErrorReport): string {
  const lines = [`${code}: ${report.what}`];
  if (report.why !== undefined) lines.push(`  why: ${report.why}`);
  if (report.fix !== undefined) lines.push(`  fix: ${report.fix}`);
  if (report.at !== undefined) lines.push(`  at:  ${report.at}`);
  return lines.join('\n');
}

/** A machine file, an option or a plugin's config that cannot be used. */
export class ConfigError extends CodedError {
  override readonly name = 'ConfigError';
  constructor(code: string, report: ErrorReport) {
    super(code, report, ExitCode.usage);
  }
}

/** A trace that cannot be read as told. */
export class TraceError extends CodedError {
  override readonly name = 'TraceError';
  constructor(code: string, report: ErrorReport) {
    super(code, report, ExitCode.usage);
  }
}

/** A history that is damaged, or a rerun that went another way. */
export class HistoryError extends CodedError {
  override readonly name = 'HistoryError';
  constructor(code: string, report: ErrorReport) {
    super(code, report, ExitCode.diverged);
  }
}
