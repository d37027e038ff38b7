/** Something in the repository that is not as the house rules want it. */
export interface Finding {
  /** The name of the check. */
  readonly check: string;
  /** Path from the top of the repository. */
  readonly file: string;
  /** Counted from 1; left out when the whole file is meant. */
  readonly line?: number;
  readonly what: string;
  readonly fix: string;
}

export const formatFinding = ({ check, file, line, what, fix }: Finding): string =>
  `${file}${line === undefined ? '' : `:${line}`}: ${what}\n  fix: ${fix} (${check})`;

/** A file as the checks see it. */
export interface SourceFile {
  /** Path from the top of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** A check looks at all files together; most look at each alone. */
export type Check = (files: readonly SourceFile[]) => Finding[];

export const isCode = (path: string): boolean => /\.(ts|mts|cts|js|mjs|cjs)$/.test(path);
export const isSpec = (path: string): boolean => /\.(spec|bench)\.ts$/.test(path);
