import type { PrngState } from '@tablewalk/base';

/**
 * Slot `replacement`: which way of a set goes when a line or a translation needs room. A policy is
 * pure functions over a lane: `words(ways)` 32-bit integers for each set, from `base` on.
 *
 * Contract (the slot's suite checks it):
 * - The engine fills invalid ways first, the lowest numbered one, unless `ownsInvalidWays`.
 * - `touch` is idempotent: touching the way that was touched or filled last, with nothing between,
 *   changes nothing. Engines rely on it to skip the call when the newest way is hit again.
 * - `victim` answers a way in `[0, ways)`; it may advance `random`, and may write its lane.
 * - Invalidation does not call the policy: as in hardware, the lane keeps what it knew.
 */
export interface ReplacementPolicy {
  /** 32-bit words of lane for one set. */
  words(ways: number): number;
  /** Words kept once for the whole array, after the lanes of all sets (a global pointer, say). Default 0. */
  readonly globalWords?: number;
  /** True when `touch` does nothing: engines leave out the call. */
  readonly ignoresHits?: boolean;
  /**
   * True when the policy is LRU: the victim is the way whose last touch or fill lies furthest back. Engines may then
   * keep the ways of a set in that order themselves, without a lane, and call nothing: the fast facet of LRU.
   */
  readonly stack?: boolean;
  /** True when the policy fills ways in its own order even while some are invalid (round robin does). */
  readonly ownsInvalidWays?: boolean;
  /** Undefined when any associativity will do, else the reason why this one will not. */
  refuses?(ways: number): string | undefined;
  reset(lane: Int32Array, base: number, ways: number): void;
  /** The way was hit. */
  touch(lane: Int32Array, base: number, ways: number, way: number): void;
  /** The way was filled, after `victim` chose it or because it was invalid. */
  fill(lane: Int32Array, base: number, ways: number, way: number, globals: number): void;
  /** `globals`: index in `lane` of the first global word. */
  victim(lane: Int32Array, base: number, ways: number, random: PrngState, globals: number): number;
}
