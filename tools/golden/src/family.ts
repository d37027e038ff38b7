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
