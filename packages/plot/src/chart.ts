/** A line of a chart. Points are in the order of x; `x` is a place in `categories` where the axis has some. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export type ChartX =
  | {
      readonly kind: 'linear' | 'log2';
      readonly label: string;
      /** How a number is written at its tick. */
      readonly format?: (value: number) => string;
    }
  | { readonly kind: 'categories'; readonly label: string; readonly categories: readonly string[] };

/** A line chart, as data. Its y axis begins at 0. */
export interface Chart {
  readonly title: string;
  /** Small print below the title: what was run. */
  readonly subtitle?: string;
  readonly x: ChartX;
  /** With its unit. */
  readonly y: { readonly label: string };
  /** What distinguishes the series; above their names. */
  readonly legend?: string;
  readonly series: readonly Series[];
}
