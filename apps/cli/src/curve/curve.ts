import { CurveBuilder } from '@tablewalk/curves';
import type { MissCurve, Stream } from '@tablewalk/curves';
import type { BatchSource } from '../trace-file.ts';

/** A memory whose curve is wanted: a TLB holds pages, a cache lines. */
export interface CurveQuestion {
  readonly of: 'tlb' | 'cache';
  /** log2 of the bytes of a page or line. */
  readonly unitShift: number;
  readonly sets: number;
  readonly streams: readonly Stream[];
}

/** The curve of one trace and one stream. */
export interface TraceCurve {
  readonly trace: string;
  readonly stream: Stream;
  readonly references: number;
  readonly distinct: number;
  readonly curve: MissCurve;
}

/** One pass over a trace: all of its curves. */
export async function curvesOf(
  trace: string,
  source: BatchSource,
  { of, unitShift, sets, streams }: CurveQuestion,
  onBatch: (references: number) => void,
): Promise<TraceCurve[]> {
  const modifyIsTwo = of === 'cache';
  const builders = streams.map((stream) => new CurveBuilder({ unitShift, sets, stream, modifyIsTwo }));
  let references = 0;
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    for (const builder of builders) builder.take(batch);
    references += batch.count;
    onBatch(references);
  }
  return builders.map((builder, i) => ({
    trace,
    stream: streams[i] as Stream,
    references: builder.references,
    distinct: builder.distinct,
    curve: builder.curve(),
  }));
}

/** Powers of two up to where no curve goes down any more. */
export function doublings(curves: readonly TraceCurve[]): number[] {
  const enough = Math.max(1, ...curves.map(({ curve }) => curve.enough));
  return Array.from({ length: Math.ceil(Math.log2(enough)) + 1 }, (_, i) => 2 ** i);
}

/** At most so many references of a source; the batch in which they end is cut. */
export function atMost(source: BatchSource, references: number): BatchSource {
  let left = references;
  return {
    async next() {
      const batch = left > 0 ? await source.next() : undefined;
      if (batch === undefined) return undefined;
      const count = Math.min(left, batch.count);
      left -= count;
      return count === batch.count ? batch : { ...batch, count };
    },
  };
}
