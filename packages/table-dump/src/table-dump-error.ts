import { CodedError, ExitCode } from '@tablewalk/base';
import type { ErrorReport } from '@tablewalk/base';

/** A page-table dump that is damaged or incomplete. `at` names the file, and the byte offset where there is one. */
export class TableDumpError extends CodedError {
  override readonly name = 'TableDumpError';
  constructor(code: string, report: ErrorReport) {
    super(code, report, ExitCode.diverged);
  }
}
