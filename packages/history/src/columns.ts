import type { Fact, RecordedFact } from '@tablewalk/contracts';

/**
 * A block of consecutive facts as columns (columns-write.ts), and back (columns-read.ts). In this order:
 *
 *     natural           n, how many facts (1 to FACTS_PER_BLOCK_MAX)
 *     natural, text...  the block's strings, each once; strings below are indices of this table
 *     natural, natural...  the block's fact types, as strings, by first appearance
 *     numbers           n indices of types
 *     numbers           n indices of strings: `by`
 *     numbers           n CPUs
 *     numbers           n times, as the difference from the time of that CPU's fact before (from 0)
 *     numbers           n stimuli
 *     for each type, for each field of its schema, the column of that field:
 *       u, i, s   numbers          b   bits, low first          us   numbers: lengths, then all items
 *
 * `numbers` are as in number-column.ts. The seq of the first fact stands outside of the block.
 */
export const FACTS_PER_BLOCK_MAX = 4096;
/** CPUs are -1 (none) to this one. */
export const CPU_MAX = 4095;
/** Items of all lists of a block; a single list has at most half of it. */
export const LIST_ITEMS_PER_BLOCK_MAX = 2 ** 21;

/** Consecutive facts as parallel arrays. */
export interface FactBlock {
  /** Seq of the first. */
  readonly first: number;
  readonly count: number;
  readonly facts: readonly Fact[];
  readonly by: readonly string[];
  readonly cpu: readonly number[];
  readonly time: readonly number[];
  readonly stimulus: readonly number[];
}

export const recordedAt = (block: FactBlock, i: number): RecordedFact => ({
  seq: block.first + i,
  by: block.by[i] as string,
  cpu: block.cpu[i] as number,
  time: block.time[i] as number,
  stimulus: block.stimulus[i] as number,
  fact: block.facts[i] as Fact,
});

/** A fact whose fields are asked for by name. */
export type Fields = Record<string, unknown>;
