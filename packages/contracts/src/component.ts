import type { Observable } from 'rxjs';
import type { Fact, FactSchemas, RecordedFact } from './facts.ts';

/** An order to one component, named by its slot (or, for checkers and the kernel's own, by its id). */
export interface Command {
  readonly to: string;
  readonly type: string;
}

/** Names a slice of the world and carries the type of its state. */
export interface SliceKey<S> {
  readonly name: string;
  /** Never present: it holds the type only. */
  readonly state?: S;
}
export const sliceKey = <S>(name: string): SliceKey<S> => ({ name });

/** Looks at a slice of the present world. What it answers must not be written. */
export type View = <S>(key: SliceKey<S>) => S;

/** What a decision may know beside its own slice. */
export interface Env {
  /** The CPU on whose behalf the command runs; -1 when none. */
  readonly cpu: number;
  readonly view: View;
  /**
   * A number in [0, bound), from the run's seed and the place in the history alone: deciding again
   * at the same place draws the same number, so a generator has no state that a branch could lose.
   */
  below(bound: number): number;
}

/**
 * Something that may happen of its own accord: the freedom that the architecture gives the hardware (a
 * speculative walk, an eviction), a device's transfer, or a move of an actor in a model. Only exploration
 * takes actions; a scheduler of runs never sees them unless the machine is a story's.
 */
export interface Action {
  /** Who does it: a column of a witness. */
  readonly actor: string;
  /** What it does, in a few words, for a witness. */
  readonly label: string;
  readonly command: Command;
  /** May it happen now? Absent: always. */
  readonly when?: (view: View) => boolean;
  /**
   * No task waits for it: freedom that the hardware may use, or not. Where nothing else can happen and a task
   * has not ended, the play is stuck.
   */
  readonly idle?: boolean;
}

/**
 * A component owns one slice of the world. It is stateless; one instance serves every branch.
 *
 * `decide` answers a command with facts and writes nothing. `evolve` is an immer recipe: total, no
 * `env`, the only place where the slice changes; the kernel runs it through `produce`, or directly
 * on a private copy. `at` is the fact as recorded: its place, time and cause.
 */
export interface Component<S, C extends Command = Command, F extends Fact = Fact> {
  /** Schemas of the facts that `decide` makes and nobody has declared before. */
  readonly facts?: FactSchemas;
  /** The fact types that `evolve` looks at; it is called for no others. */
  readonly evolvesOn: readonly string[];
  initial(): S;
  decide(command: C, state: S, env: Env): readonly F[];
  evolve(draft: S, fact: F, at: RecordedFact): void;
  /** The facts of others, as a stream, to orders. No operator with memory or time: its state could not be branched. */
  react?(facts$: Observable<RecordedFact>, view: View): Observable<Command>;
  /** What may happen of its own accord; the list never changes, what is enabled does. */
  readonly actions?: readonly Action[];
  /** Nobody decides by this slice (it counts, or it tells a story): exploration leaves it out of the state. */
  readonly bystander?: boolean;
}

/** A component whose types are its own business: what the kernel handles. */
// The kernel routes commands and facts by name; only the component knows their types.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyComponent = Component<any, any, any>;
