/** One thing that was held against golden data. */
export interface Comparison {
  /** File and entry, as a person would look it up. */
  readonly what: string;
  /** Undefined: it agrees. Otherwise the first field that differs, and both values. */
  readonly difference?: string;
}

export interface FamilyResult {
  readonly family: string;
  readonly checked: number;
  readonly disagree: number;
  /** Entries that cannot be compared exactly, with the reason; they count as neither. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly differences: readonly Comparison[];
}

/** A kind of golden data. A new kind is a file beside `traces.ts` and a line in `families.ts`. */
export interface Family {
  readonly name: string;
  /** Folders below `root` that hold data of this kind, by name. */
  folders(root: string): readonly string[];
  compare(folder: string, progress: (text: string) => void): Promise<FamilyResult>;
}

/** Counts the comparisons of a folder. */
export class Tally {
  private checked = 0;
  private readonly differences: Comparison[] = [];
  private readonly skipped: Record<string, number> = {};

  constructor(private readonly family: string) {}

  /** `found`: differences in words; the first is told. */
  add(what: string, found: readonly string[]): void {
    this.checked += 1;
    if (found[0] !== undefined) this.differences.push({ what, difference: found[0] });
  }
  skip(reason: string): void {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
  }
  result(): FamilyResult {
    const { family, checked, differences, skipped } = this;
    return { family, checked, disagree: differences.length, skipped, differences };
  }
}
