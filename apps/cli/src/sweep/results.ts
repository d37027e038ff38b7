import type { Failure } from '../workers/protocol.ts';
import { isRunnable } from './prepare.ts';
import type { PreparedPoint } from './prepare.ts';
import type { FromSweepThread } from './protocol.ts';
import { writeSweepFile } from './sweep-file.ts';
import type { FiledPoint, PointResult, SweepFile } from './sweep-file.ts';

/** A write may take this part of the time; where files are small, every point is written as it is done. */
const WRITING_PART = 0.1;

/** What the points of a sweep came to, as it becomes known; kept in a file if there is a folder. */
export class SweepResults {
  private readonly results: Map<number, PointResult>;
  private written = 0;
  private writing = 0;

  constructor(
    private readonly points: readonly PreparedPoint[],
    private readonly head: Omit<SweepFile, 'sweep' | 'points' | 'count'>,
    private readonly folder: string | undefined,
    known: ReadonlyMap<number, PointResult>,
  ) {
    this.results = new Map(known);
    for (const point of points)
      if (!isRunnable(point)) {
        const { code, what, why } = point.refused;
        this.results.set(point.index, {
          status: 'failed',
          code,
          what,
          ...(why === undefined ? {} : { why }),
        });
      }
    this.write();
  }

  get done(): number {
    return this.results.size;
  }
  of(point: { readonly index: number }): PointResult | undefined {
    return this.results.get(point.index);
  }

  /** Takes what a thread tells. */
  take(message: FromSweepThread): void {
    this.results.set(message.point, message.kind === 'ran' ? message.run : failed(message.failure));
    if (performance.now() - this.written >= this.writing / WRITING_PART) this.write();
  }

  /** Puts the file into the state of now. */
  write(): void {
    if (this.folder === undefined) return;
    const start = performance.now();
    const { dimensions } = this.head.of;
    const points = this.points.flatMap((point): FiledPoint[] => {
      const result = this.of(point);
      if (result === undefined) return [];
      const values = Object.fromEntries(
        dimensions.map(({ label }, d) => [label, point.choices[d]?.text ?? '']),
      );
      const machine = isRunnable(point) ? { machine: point.effective } : {};
      return [{ index: point.index, values, ...machine, ...result }];
    });
    writeSweepFile(this.folder, { sweep: 1, ...this.head, count: this.points.length, points });
    this.written = performance.now();
    this.writing = this.written - start;
  }
}

function failed(failure: Failure): PointResult {
  if (failure.kind === 'broken') return { status: 'failed', code: 'INTERNAL', what: failure.message };
  const { what, why } = failure.report;
  return { status: 'failed', code: failure.code, what, ...(why === undefined ? {} : { why }) };
}
