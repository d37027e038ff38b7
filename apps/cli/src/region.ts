import { ConfigError } from '@tablewalk/base';
import type { AccessBatch, Measure } from '@tablewalk/contracts';
import type { BatchSource } from './trace-file.ts';

/**
 * What of its traces a run uses, in references. `skip` are passed over at the head of each trace, and never run;
 * the rest counts on the whole machine: `warmup` run and are not counted, `max` are measured, then the run ends.
 */
export interface Region {
  readonly skip: number;
  readonly warmup: number;
  /** Absent: to the end of the traces. */
  readonly max?: number;
  /** Statistics are told every so many measured references. */
  readonly interval?: number;
}

export const WHOLE_RUN: Region = { skip: 0, warmup: 0 };

export interface RegionFlags {
  readonly skip?: number;
  readonly warmup?: number;
  readonly maxRefs?: number;
  readonly interval?: number;
}

export function regionOf({ skip = 0, warmup = 0, maxRefs, interval }: RegionFlags): Region {
  if (interval === 0 || maxRefs === 0)
    throw new ConfigError('REGION_EMPTY', {
      what: `${interval === 0 ? '--interval' : '--max-refs'} 0`,
      why: 'nothing would be measured',
      fix: 'give 1 or more, or leave it out',
      at: interval === 0 ? '--interval' : '--max-refs',
    });
  return {
    skip,
    warmup,
    ...(maxRefs === undefined ? {} : { max: maxRefs }),
    ...(interval === undefined ? {} : { interval }),
  };
}

/** The places of a region in their order, each by the references that have retired on the machine until there. */
export function* measuresOf({ warmup, max = Infinity, interval = Infinity }: Region): Generator<Measure> {
  if (warmup > 0) yield { kind: 'measure', what: 'begin', references: warmup };
  // An interval that would end with the run is ended by it.
  for (let measured = interval; measured < max; measured += interval)
    yield { kind: 'measure', what: 'interval', references: warmup + measured };
  if (max < Infinity) yield { kind: 'measure', what: 'end', references: warmup + max };
}

/** Those that lie ahead of a run that has come so far. There may be no end of them. */
export function* measuresAfter(region: Region, references: number): Generator<Measure> {
  for (const measure of measuresOf(region)) if (measure.references > references) yield measure;
}

/** References `[from, count)` of a batch, without copying them. */
export function restOfBatch(batch: AccessBatch, from: number): AccessBatch {
  const { count, kind, vaLo, vaHi, size } = batch;
  return {
    count: count - from,
    capacity: count - from,
    kind: kind.subarray(from, count),
    vaLo: vaLo.subarray(from, count),
    vaHi: vaHi.subarray(from, count),
    size: size.subarray(from, count),
  };
}

/** A trace without its first `skip` references. */
export function skipReferences(source: BatchSource, skip: number): BatchSource {
  let left = skip;
  return {
    async next() {
      for (;;) {
        const batch = await source.next();
        if (batch === undefined || left === 0) return batch;
        const passed = Math.min(left, batch.count);
        left -= passed;
        if (passed < batch.count) return restOfBatch(batch, passed);
      }
    },
  };
}
