/** The misses of LRU memories of every size, from the depths at which references found what they wanted. */
export class MissCurve {
  /** References that found nothing at any depth: the first ones to each key. */
  readonly cold: number;
  readonly lookups: number;
  /** `beyond[c]`: references deeper than c. */
  private readonly beyond: Float64Array;

  /** `depths[d]`: how many references were at depth d; at 0, how many were the first to their key. */
  constructor(readonly depths: readonly number[]) {
    this.cold = depths[0] ?? 0;
    this.beyond = new Float64Array(Math.max(1, depths.length));
    for (let c = depths.length - 2; c >= 0; c--)
      this.beyond[c] = (this.beyond[c + 1] as number) + (depths[c + 1] as number);
    this.lookups = this.cold + (this.beyond[0] as number);
  }

  /** The smallest size that has no misses but the cold ones. */
  get enough(): number {
    return this.beyond.length - 1;
  }

  /** Misses of a memory of so many entries (of so many ways, where the depths are those within sets). */
  misses(entries: number): number {
    return this.cold + (this.beyond[entries] ?? 0);
  }

  missRatio(entries: number): number {
    return this.lookups === 0 ? 0 : this.misses(entries) / this.lookups;
  }
}
