import type { RecordedFact } from '@tablewalk/contracts';

/** How a space of schedules is searched. */
export type StrategyName = 'exhaustive' | 'random' | 'pct' | 'scripted' | 'deepening' | 'reexecution';

export interface ExploreOptions {
  readonly strategy?: StrategyName;
  readonly seed?: number;
  /** Give up, unfinished, beyond so many stored states (default 10,000,000), or schedules, or steps of one. */
  readonly maxStates?: number;
  readonly maxSchedules?: number;
  readonly maxDepth?: number;
  /** PCT: priority change points (Burckhardt et al., ASPLOS 2010): finds a bug of depth d + 1. */
  readonly pctDepth?: number;
  /** Scripted: places in the list of what is enabled, by step. */
  readonly schedule?: readonly number[];
  /** Reductions; all on by default. */
  readonly merges?: boolean;
  readonly partialOrder?: boolean;
  readonly symmetry?: boolean;
  /** Do not stop at a violation: search the whole space, and count. */
  readonly throughViolations?: boolean;
  /** Refuse a step that touches what its program says it never does. On by default. */
  readonly checkTouches?: boolean;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  /** States known and not yet expanded. */
  readonly frontier: number;
  readonly depth: number;
  /** What is going on, in a word: searching, shortening. */
  readonly phase: 'searching' | 'shortening';
}

export type Verdict = 'violated' | 'holds' | 'unfinished';

/** What a search found. Counts are of states stored and transitions taken; to begin is no transition. */
export interface Exploration {
  readonly strategy: StrategyName;
  readonly verdict: Verdict;
  readonly violation?: Violation;
  readonly states: number;
  readonly transitions: number;
  /** Steps of the longest schedule that was looked at. */
  readonly depth: number;
  /** Schedules run to their end, for strategies that run schedules. */
  readonly schedules?: number;
  /** States with nothing enabled; of them stuck (a task has not ended). */
  readonly finalStates: number;
  readonly stuckStates: number;
  /** Final states as JSON of the observed slices, sorted: only when the search went to its end. */
  readonly outcomes?: readonly string[];
  /** Rules that were violated anywhere, sorted: whole only when searched through violations. */
  readonly rules: readonly string[];
  /** Bytes that storing a state took, on average. */
  readonly bytesPerState?: number;
  /** Why it is unfinished, and what was covered. */
  readonly unfinished?: string;
}

export interface Violation {
  /** `kernel`, `never`, or the checker's id. */
  readonly checker: string;
  readonly rule: string;
  /** Places in the lists of what was enabled, from the end of the scene on: what `--schedule` takes. */
  readonly schedule: readonly number[];
  readonly witness: readonly WitnessStep[];
  /** True when no shorter schedule violates anything. */
  readonly shortest: boolean;
}

/** One step of a witness. */
export interface WitnessStep {
  readonly step: number;
  /** Column: the task's name, `IRQ on CPU 1`, or the actor of an action. */
  readonly actor: string;
  readonly cpu: number;
  /** What it did, in words. */
  readonly label: string;
  /** The facts of the step, as recorded when the schedule was played on the machine. */
  readonly facts: readonly RecordedFact[];
  /** The fact that broke the rule, when this step did. */
  readonly violation?: RecordedFact;
}
