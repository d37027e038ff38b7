import { CodedError, InvariantError } from '@tablewalk/base';
import type { ErrorReport, ExitCode } from '@tablewalk/base';
import type { ExploreOptions, Report } from '@tablewalk/explore';
import type { Overrides } from '@tablewalk/stories';
import type { MessagePort } from 'node:worker_threads';

/** What a thread begins with: a story to stage for itself, and a port to every other. */
export interface Assignment {
  /** Its id, or the path of its file. */
  readonly story: string;
  readonly variant: string;
  readonly set: Overrides;
  readonly options: ExploreOptions;
  readonly index: number;
  /** By shard; undefined at its own place. */
  readonly ports: readonly (MessagePort | undefined)[];
}

/** What a thread says to the one that started it. */
export type FromThread =
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'progress'; readonly counts: Counts }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface Counts {
  readonly states: number;
  readonly transitions: number;
  readonly frontier: number;
}

/** An error as plain data: what is cloned between threads forgets its class. */
export type Failure =
  | {
      readonly kind: 'coded';
      readonly code: string;
      readonly report: ErrorReport;
      readonly exitCode: ExitCode;
    }
  | { readonly kind: 'broken'; readonly message: string; readonly stack: string | undefined };

export function failureOf(error: unknown): Failure {
  if (error instanceof CodedError) {
    const { code, report, exitCode } = error;
    return { kind: 'coded', code, report, exitCode };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'broken', message, stack };
}

export function errorOf(failure: Failure): Error {
  if (failure.kind === 'coded') return new CodedError(failure.code, failure.report, failure.exitCode);
  const error = new InvariantError(failure.message);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}
