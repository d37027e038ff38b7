/**
 * Facts are flat: numbers, booleans, strings and lists of natural numbers. A schema of a fact's
 * fields gives its TypeScript type, its columns in a history, and its JSON Schema.
 *
 * Field types: `u` natural number (to 2^53), `i` integer, `b` boolean, `s` string (few distinct
 * values: they are interned), `us` list of natural numbers.
 */
export type FieldType = 'u' | 'i' | 'b' | 's' | 'us';
export type FactFields = Readonly<Record<string, FieldType>>;
export type FactSchemas = Readonly<Record<string, FactFields>>;

type FieldValue<T extends FieldType> = T extends 'u' | 'i'
  ? number
  : T extends 'b'
    ? boolean
    : T extends 's'
      ? string
      : readonly number[];

export type FactOf<Name extends string, Fields extends FactFields> = { readonly type: Name } & {
  readonly [Field in keyof Fields]: FieldValue<Fields[Field]>;
};

/** The union of the facts that a table of schemas describes. */
export type FactsIn<Schemas extends FactSchemas> = {
  [Name in keyof Schemas & string]: FactOf<Name, Schemas[Name]>;
}[keyof Schemas & string];

/** Any fact, seen by code that does not know its type (the recorder, the reader, a diff). */
export interface Fact {
  readonly type: string;
}

/** Keeps the literal types of a table of schemas. */
export const defineFacts = <const Schemas extends FactSchemas>(schemas: Schemas): Schemas => schemas;

/**
 * A fact as the recorder keeps it. `seq` counts from 0. `by` is the component that decided it (a
 * slot's plugin id, or `kernel`). `cpu` is -1 when no CPU did it. `time` is that CPU's clock after
 * the fact, in cycles of the cost plugin. `stimulus` is the number of the stimulus that led to it.
 */
export interface RecordedFact {
  readonly seq: number;
  readonly by: string;
  readonly cpu: number;
  readonly time: number;
  readonly stimulus: number;
  readonly fact: Fact;
}

/** What the machine cannot derive; recorded, so that a history can be decided again. */
export type Stimulus =
  /** A process began; its references follow as batches. */
  | { readonly kind: 'process'; readonly mm: number; readonly name: string }
  /** The next references of a process. An empty batch says that there are no more. */
  | {
      readonly kind: 'batch';
      readonly mm: number;
      readonly index: number;
      readonly batch: import('./access-batch.ts').AccessBatch;
    }
  /** A choice of the scheduler that no seed determines: alternative `taken` of `of`. */
  | { readonly kind: 'choice'; readonly taken: number; readonly of: number }
  /** What of the run is measured: see Measure. */
  | Measure;

/**
 * A place in a run, told when exactly `references` have retired on the whole machine. `begin`: the warm-up ends
 * here, and what is counted begins; `interval`: a part of the measured run ends; `end`: the measured run does.
 */
export interface Measure {
  readonly kind: 'measure';
  readonly what: 'begin' | 'interval' | 'end';
  readonly references: number;
}
