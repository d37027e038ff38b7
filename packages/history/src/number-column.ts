import { InvariantError } from '@tablewalk/base';
import { integerBytes } from './bytes.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/**
 * Columns of safe integers. Four encodings; the writer takes the one with the fewest bytes:
 *
 * - fixed: the least value, then each value's distance from it in 0 to 7 bytes;
 * - delta: the difference of each value from the one before it (the first from 0), as `integer`s;
 * - plain: each value as an `integer`;
 * - runs: how many runs, then value and length of each.
 *
 * A column does not say how many values it has: its reader knows, and has checked that number.
 */
const FIXED = 0;
const DELTA = 1;
const PLAIN = 2;
const RUNS = 3;

/** Throws unless all values are safe integers; `-0` is stored as 0. */
export function writeNumbers(out: ByteWriter, values: Float64Array, what: string): void {
  const sizes = measure(values, what);
  const least = Math.min(sizes.fixed, sizes.delta, sizes.plain, sizes.runs);
  if (least === sizes.fixed) {
    out.u8(FIXED);
    out.integer(sizes.min);
    out.u8(sizes.width);
    if (sizes.width > 0)
      for (let i = 0; i < values.length; i++) out.fixed((values[i] as number) - sizes.min, sizes.width);
  } else if (least === sizes.delta) {
    out.u8(DELTA);
    for (let i = 0, last = 0; i < values.length; i++) {
      out.integer((values[i] as number) - last);
      last = values[i] as number;
    }
  } else if (least === sizes.plain) {
    out.u8(PLAIN);
    for (let i = 0; i < values.length; i++) out.integer(values[i] as number);
  } else {
    writeRuns(out, values, sizes.runCount);
  }
}

interface Sizes {
  readonly min: number;
  readonly width: number;
  readonly runCount: number;
  readonly fixed: number;
  readonly delta: number;
  readonly plain: number;
  readonly runs: number;
}

function measure(values: Float64Array, what: string): Sizes {
  let min = values.length === 0 ? 0 : (values[0] as number);
  let max = min;
  let last = 0;
  let [delta, plain, runBytes, runCount, runStart] = [1, 1, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isSafeInteger(value)) throw new InvariantError(`${what} is ${value}, no safe integer`);
    const bytes = integerBytes(value);
    plain += bytes;
    delta += integerBytes(value - last);
    if (value !== last || i === 0) {
      if (i > 0) runBytes += integerBytes(i - runStart);
      runBytes += bytes;
      runCount += 1;
      runStart = i;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    last = value;
  }
  // A wider range than this has differences that doubles cannot hold.
  const exact = max - Math.min(min, 0) <= Number.MAX_SAFE_INTEGER;
  let width = 0;
  while (width < 7 && max - min >= 256 ** width) width += 1;
  return {
    min,
    width,
    runCount,
    fixed: exact ? 2 + integerBytes(min) + width * values.length : Infinity,
    delta: exact ? delta : Infinity,
    plain,
    runs: 1 + integerBytes(runCount) + runBytes + integerBytes(values.length - runStart),
  };
}

function writeRuns(out: ByteWriter, values: Float64Array, runCount: number): void {
  out.u8(RUNS);
  out.natural(runCount);
  for (let start = 0; start < values.length;) {
    let end = start + 1;
    while (end < values.length && values[end] === values[start]) end += 1;
    out.integer(values[start] as number);
    out.natural(end - start);
    start = end;
  }
}

/** Reads `count` values. Values below `least` are refused. */
export function readNumbers(from: ByteReader, count: number, least = -Number.MAX_SAFE_INTEGER): number[] {
  const encoding = from.u8();
  const values = new Array<number>(count);
  if (encoding === FIXED) readFixed(from, values, least);
  else if (encoding === DELTA) readDeltas(from, values, least);
  else if (encoding === PLAIN)
    for (let i = 0; i < count; i++) values[i] = inRange(from, from.integer(), least);
  else if (encoding === RUNS) readRuns(from, values, least);
  else from.fail(`no column is encoded by ${encoding}`);
  return values;
}

function inRange(from: ByteReader, value: number, least: number): number {
  if (value < least) from.fail(`a column has ${value} where ${least} is the least`);
  if (value > Number.MAX_SAFE_INTEGER) from.fail('a number is larger than 2^53 - 1');
  return value;
}

function readFixed(from: ByteReader, values: number[], least: number): void {
  const base = inRange(from, from.integer(), least);
  const width = from.u8();
  const { bytes, remaining } = from;
  if (width > 7 || width * values.length > remaining)
    from.fail(`${values.length} numbers of ${width} bytes do not fit`);
  let at = from.pos;
  for (let i = 0; i < values.length; i++) {
    let offset = 0;
    if (width > 0) offset = bytes[at] as number;
    if (width > 1) offset |= (bytes[at + 1] as number) << 8;
    if (width > 2) offset |= (bytes[at + 2] as number) << 16;
    if (width > 3) offset = offset + (bytes[at + 3] as number) * 2 ** 24;
    if (width > 4) offset = offset + (bytes[at + 4] as number) * 2 ** 32;
    if (width > 5) offset = offset + (bytes[at + 5] as number) * 2 ** 40;
    if (width > 6) offset = offset + (bytes[at + 6] as number) * 2 ** 48;
    values[i] = inRange(from, base + offset, least);
    at += width;
  }
  from.pos = at;
}

function readDeltas(from: ByteReader, values: number[], least: number): void {
  let value = 0;
  for (let i = 0; i < values.length; i++) {
    value = inRange(from, value + from.integer(), least);
    values[i] = value;
  }
}

function readRuns(from: ByteReader, values: number[], least: number): void {
  const runCount = from.count(2, 'runs');
  let filled = 0;
  for (let run = 0; run < runCount; run++) {
    const value = inRange(from, from.integer(), least);
    const end = filled + from.natural();
    if (end > values.length) from.fail(`runs of ${end} values in a column of ${values.length}`);
    while (filled < end) values[filled++] = value;
  }
  if (filled !== values.length) from.fail(`runs of ${filled} values in a column of ${values.length}`);
}
