import { TraceError } from '@tablewalk/base';
import { isLoaded } from '@foxglove/wasm-zstd';
import { plainCodec } from '@tablewalk/references';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { BinaryTraceReader } from './binary-reader.ts';
import { batchesOf, read, sample, written, zstd } from './testing/binary-traces.ts';
import type { Reference } from './testing/binary-traces.ts';

beforeAll(async () => {
  await isLoaded;
});

const references: fc.Arbitrary<Reference[]> = fc.array(
  fc.tuple(fc.nat(3), fc.oneof(fc.nat(2 ** 14), fc.nat(2 ** 37)), fc.integer({ min: 1, max: 65535 })),
  { maxLength: 60 },
);

/** sample(), as it was written before frames were numbered. */
const FORMAT_1 =
  'iVRXVA0KGgoBLgAAAC4AAAAAAAAADz2UWnsiZm9ybWF0IjoxLCJjb2RlYyI6InpzdGQiLCJzb3VyY2UiOiJhIHRyYWNlIn0CZAAAALAAAAAU' +
  'AAAAUlFSRCi1L/0gsN0CAOIFERagGxoD///oOfvXnvO9TLJk++8kpUwBVnkejgZjoUggDgbCnWO+u7tA0ZACMLJWpFM5mU9O+uVEvrmVG/kK' +
  'HKglUQsBCADggNw2YLlw/k9oB18EBKMMoAgCbQAAALIAAAAUAAAAKGnSDyi1L/0gsiUDAGKGExuAS9IB2wbQWmUpauEVSAZmoAa8jm62tbS3' +
  'TAESeSaSCOThaDAWioTBcw7iUGgWZQuYBRYG8KLsoukrnz755pePfL3Ki/x5ObBRS0UlBAgAwIDcNqBeIH4gJoBgwIADgAMCTwAAAG8AAAAK' +
  'AAAAG7ISFCi1L/0gbzUCABJFDhawJx2ARkJAAwxwDMMwDKfmto1IKXcK/7+3a1ESxLiqjoI4xwTATDn69ku8pUtf8naXdLmw+fn+IQUQACWi' +
  '0IWjDEUDLQAAAC0AAAAAAAAABBuLZnsicmVmZXJlbmNlcyI6NTAsImJsb2NrcyI6MywiYWRkcmVzc0JpdHMiOjM0fQ==';

/** The magic, then each frame. */
function framesOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer);
  const frames = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length;)
    frames.push(bytes.subarray(at, (at += 17 + view.getUint32(at + 1, true))));
  return frames;
}
const joined = (frames: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(frames.flatMap((frame) => [...frame]));
/** Of sample(): magic, head, three blocks, close. */
type Six<T> = [T, T, T, T, T, T];

/** Does something to whole frames, but not to the magic; or cuts, or flips bit `other` of byte `one`. */
function changedFrames(
  [magic, ...frames]: readonly Uint8Array[],
  others: readonly Uint8Array[],
  { how, one, other }: { how: string; one: number; other: number },
): Uint8Array[] {
  const [i, j] = [one % (frames.length + 1), other % (frames.length + 1)];
  const frame = frames[i] ?? new Uint8Array(0);
  const all = joined(frames);
  if (how === 'swap') [frames[i], frames[j]] = [frames[j] ?? frame, frame];
  else if (how === 'move') frames.splice(j, 0, ...frames.splice(i, 1));
  else if (how === 'double') frames.splice(j, 0, frame);
  // Any frame of another file but its head: with that one it would be a piece of the other file, and rightly read.
  else if (how === 'splice') frames[i] = others[2 + (other % (others.length - 2))] ?? frame;
  else if (how === 'drop') frames.splice(i, 1);
  else if (how === 'cut') return [magic as Uint8Array, all.subarray(0, one % (all.length + 1))];
  else if (all.length > 0) {
    all[one % all.length] = (all[one % all.length] as number) ^ (1 << other);
    return [magic as Uint8Array, all];
  }
  return [magic as Uint8Array, ...frames];
}

describe('frames of binary traces', () => {
  it('say what was written or are refused, whatever is done to their frames and bits', () => {
    const place = fc.nat(20);
    const change = fc.oneof(
      fc.record({ how: fc.constantFrom('swap', 'move', 'double', 'splice'), one: place, other: place }),
      fc.record({ how: fc.constantFrom('drop', 'cut', 'flip'), one: fc.nat(), other: fc.nat(7) }),
    );
    const changes = fc.array(change, { minLength: 1, maxLength: 3 });
    const inBlock = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(
        references,
        references,
        inBlock,
        changes,
        fc.boolean(),
        (list, alien, inBlock, changes, packed) => {
          const codec = packed ? zstd : plainCodec;
          const bytes = written(batchesOf(list, inBlock), codec);
          const others = framesOf(written(batchesOf(alien, inBlock), codec, 'another'));
          const changed = changes.reduce(
            (frames, change) => changedFrames(frames, others, change),
            framesOf(bytes),
          );
          const said = read(joined(changed), { batchReferences: inBlock });
          const end = said.pop();
          const found = said.flat();
          expect(found).toEqual(list.slice(0, found.length));
          if (typeof end === 'number') expect(end).toBe(list.length);
          else expect(end).toMatch(/^TRACE_(DAMAGED|TRUNCATED)$/);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('name the block that is out of its order, and the byte where it lies', () => {
    const [magic, head, a, b, c, close] = framesOf(sample()) as Six<Uint8Array>;
    const refusal = (...frames: readonly Uint8Array[]): string => {
      const reader = new BinaryTraceReader(zstd, { name: 't.twt' });
      try {
        reader.push(joined([magic, ...frames]));
        return 'taken';
      } catch (error) {
        if (!(error instanceof TraceError)) throw error;
        return `${error.code}: ${error.report.what}, ${error.report.at}`;
      }
    };
    const [atA, atB] = [8 + head.length, 8 + head.length + a.length];
    const order = 'blocks are missing, twice there, or in another order';
    const lies = (what: string, should: number, at: number): string =>
      `TRACE_DAMAGED: ${what} lies where block ${should} should: ${order}, t.twt, frame ${should} at byte ${at}`;
    expect(refusal(head, a, b, c, close)).toBe('taken');
    expect(refusal(head, b, a, c, close)).toBe(lies('block 2', 1, atA));
    expect(refusal(head, a, c, close)).toBe(lies('block 3', 2, atB));
    expect(refusal(head, a, a, b, c, close)).toBe(lies('block 1', 2, atB));
    expect(refusal(head, a, close)).toBe(lies('the close', 2, atB));
    // Of another file: its head is another, or, where two have the same head, what follows is.
    const alien = framesOf(
      written(
        batchesOf(
          [...Array(3)].map((_, i): Reference => [0, 4 * i, 4]),
          1,
        ),
        zstd,
      ),
    );
    for (const number of [1, 2]) {
      const frames = [head, a, b, c, close].with(number, alien[number + 1] as Uint8Array);
      expect(refusal(...frames)).toBe(
        'TRACE_DAMAGED: block 2 does not follow what was written before it: it is of another file, ' +
          `t.twt, frame 2 at byte ${atB + (number === 1 ? (alien[2] as Uint8Array).length - a.length : 0)}`,
      );
    }
    for (const wrong of [
      [a, head, b, c, close],
      [head, head, a, b, c, close],
      [head, a, b, c, close, close],
      [head, a, b, c, close, Uint8Array.of(0)],
    ])
      expect(refusal(...wrong)).toMatch(/^TRACE_DAMAGED/);
  });

  it('of format 1, which had no order, are still read', () => {
    const bytes = Uint8Array.from(Buffer.from(FORMAT_1, 'base64'));
    expect(read(bytes)).toEqual(read(sample()));
    for (let length = 0; length < bytes.length; length++)
      expect(read(bytes.subarray(0, length)).at(-1)).toBe('TRACE_TRUNCATED');
    const [magic, head, a, , c, close] = framesOf(bytes) as Six<Uint8Array>;
    expect(read(joined([magic, head, a, c, close])).at(-1)).toBe('TRACE_DAMAGED');
  });
});
