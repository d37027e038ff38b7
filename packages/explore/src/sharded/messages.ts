import type { FixedFootprints } from '../footprints.ts';
import type { Meanings } from './correspondence.ts';

/** What shards and whoever leads them say to each other: plain data, that can be cloned. */

/** States for the shard that owns them. */
export interface Batch {
  readonly kind: 'batch';
  /** How far the states are from the beginning. */
  readonly depth: number;
  readonly states: number;
  readonly meanings: Meanings;
  /** As an outbox writes them, in the sender's numbers. */
  readonly words: Int32Array;
  /** The sender must know of each whether it is farther than all that was expanded. */
  readonly asks: boolean;
}

/** What the owner says of a batch. Answers come in the order of the batches. */
export interface Answer {
  readonly kind: 'answer';
  /** So many states were new. */
  readonly added: number;
  /** One of those breaks a rule. */
  readonly broken: boolean;
  /** By state, when it was asked: 1 for one that is in no level that was expanded or is being expanded. */
  readonly farther?: Uint8Array;
}

/** To another shard. */
export interface Parcel {
  readonly to: number;
  readonly message: Batch | Answer;
}

/** What all shards are told to do at the same time. Each answers with a report when it has done it. */
export type Order =
  /** Begin a search, with these footprints or without partial order. */
  | { readonly kind: 'begin'; readonly footprints?: FixedFootprints }
  /** Expand the states of a level. */
  | { readonly kind: 'expand'; readonly depth: number }
  | { readonly kind: 'conclude' };

export type Report =
  | { readonly kind: 'begun' }
  | {
      readonly kind: 'expanded';
      /** So many states of the next level were new, whoever owns them. */
      readonly added: number;
      /** Steps of a shortest schedule to a violation that was seen from here. */
      readonly violated?: number;
    }
  | Conclusion;

/** What a shard counted in one search, and what its space has learnt. */
export interface Conclusion {
  readonly kind: 'concluded';
  readonly states: number;
  readonly transitions: number;
  readonly finalStates: number;
  readonly stuckStates: number;
  readonly outcomes: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
  readonly deeper: boolean;
  readonly bytesPerState: number;
  readonly learnt: FixedFootprints;
}
