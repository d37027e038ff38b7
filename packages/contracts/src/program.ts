import type { Command, View } from './component.ts';
import type { Fact } from './facts.ts';

/**
 * A program is a per-CPU kernel routine: a generator in which one `yield` is one globally visible
 * step. A thread is stored as the log of what its program observed, never as a live generator: a
 * fresh generator that is fed the log is in the same place. So a program must be a deterministic
 * function of its context and of what it observes, and observations are short lists of natural numbers.
 */
export type Reply = readonly number[];

/** What takes effect; a merge does not. */
export type VisibleStep = IssueStep | ReadStep | AwaitStep;
export type Step = VisibleStep | MergeStep;

/** Give an order; observe what `pick` takes from the facts that it caused. Waits while `when` is false. */
export interface IssueStep {
  readonly kind: 'issue';
  readonly command: Command;
  readonly pick?: (facts: readonly Fact[]) => Reply;
  readonly when?: (view: View) => boolean;
  readonly reason?: string;
}

/** Look at the world: one atomic read. */
export interface ReadStep {
  readonly kind: 'read';
  readonly look: (view: View) => Reply;
  /** What is looked at, for a witness: `page_address(P)`. */
  readonly what?: string;
}

/** Go on when the guard holds: in place of a spin loop. */
export interface AwaitStep {
  readonly kind: 'await';
  readonly until: (view: View) => boolean;
  readonly reason: string;
  /** The CPU waits for other CPUs to acknowledge interrupts: it must have its own IRQs on. */
  readonly forIpi?: boolean;
  /** The task has gone to sleep: other tasks of its CPU run meanwhile, whatever it holds. */
  readonly asleep?: boolean;
}

/**
 * No step: a claim. What the program does from here on depends on (label, live) alone, so threads that
 * get here with equal live numbers are in the same place, whatever they observed before. Exploration
 * merges them; a run passes over it. A wrong claim hides outcomes: `explore --no-merges` is the check.
 */
export interface MergeStep {
  readonly kind: 'merge';
  readonly label: string;
  readonly live: readonly number[];
}

export type Routine<T = void> = Generator<Step, T, Reply>;
export type Program = Routine<void>;

export interface ProgramContext {
  readonly cpu: number;
  readonly args: readonly number[];
  /** The task that runs the program, where a machine has tasks; an interrupt handler has none. */
  readonly task?: number;
}

/** By name; a thread's program is written `slot/name`. */
export type Programs = Readonly<Record<string, (context: ProgramContext) => Program>>;

const nothing: Reply = [];

/** Gives an order and observes nothing. */
export function* order(command: Command): Routine {
  yield { kind: 'issue', command };
}

/** Gives an order and observes numbers from its facts. */
export function* issue<F extends Fact>(
  command: Command,
  pick: (facts: readonly F[]) => Reply,
): Routine<Reply> {
  return yield { kind: 'issue', command, pick: pick as (facts: readonly Fact[]) => Reply };
}

/** Reads one number of the world. */
export function* read(look: (view: View) => number, what?: string): Routine<number> {
  const reply = yield readStep((view) => [look(view)], what);
  return reply[0] as number;
}

/** Reads a number that may not be there. */
export function* readMaybe(
  look: (view: View) => number | undefined,
  what?: string,
): Routine<number | undefined> {
  const reply = yield readStep((view) => {
    const value = look(view);
    return value === undefined ? nothing : [value];
  }, what);
  return reply[0];
}

/** Reads several numbers in one atomic step. */
export function* readAll(look: (view: View) => Reply, what?: string): Routine<Reply> {
  return yield readStep(look, what);
}

const readStep = (look: (view: View) => Reply, what: string | undefined): ReadStep =>
  what === undefined ? { kind: 'read', look } : { kind: 'read', look, what };

export function* awaitUntil(reason: string, until: (view: View) => boolean): Routine {
  yield { kind: 'await', until, reason };
}

/** Claims that the rest of the program depends on nothing but the label and these numbers. */
export function* merge(label: string, live: readonly number[] = nothing): Routine {
  yield { kind: 'merge', label, live };
}

export const observeNothing = (): Reply => nothing;
