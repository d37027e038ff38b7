import { isLoaded } from '@foxglove/wasm-zstd';
import { HistoryError } from '@tablewalk/base';
import { beforeAll, describe, expect, test } from 'vitest';
import { plainCodec } from './codec.ts';
import type { Codec } from './codec.ts';
import { DATA_END_BYTES, FOOTER_BYTES, MAGIC } from './format.ts';
import { openHistory } from './reader.ts';
import type { History } from './reader.ts';
import { contentOf, sampleOptions, writeSample, zstd } from './sample-history.ts';
import type { Content, Sample } from './sample-history.ts';
import type { HistorySource } from './source.ts';

beforeAll(async () => {
  await isLoaded;
});

/** A source that nobody may ask for what it does not have. */
function strictSource(bytes: Uint8Array): HistorySource {
  return {
    size: bytes.length,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length)
        throw new Error(`${length} bytes asked for at ${offset} of ${bytes.length}`);
      return bytes.slice(offset, offset + length);
    },
  };
}

const open = (bytes: Uint8Array, codec: Codec = zstd): History => openHistory(strictSource(bytes), codec);

/** The code of the HistoryError that `act` throws, or undefined when it does not throw. */
function codeOf(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    expect(error.report.at).toBeDefined();
    return error.code;
  }
}

const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = bytes.slice();
  copy[bit >>> 3] = (copy[bit >>> 3] as number) ^ (1 << (bit & 7));
  return copy;
};

/** What a reader that does not verify leaves unread in a complete file: the value in the DataEnd record. */
function unreadOf(bytes: Uint8Array): [from: number, to: number] {
  const footer = new DataView(bytes.buffer, bytes.length - MAGIC.length - FOOTER_BYTES);
  const summaryStart = Number(footer.getBigUint64(9, true));
  return [summaryStart - DATA_END_BYTES + 9, summaryStart];
}

/** Does the byte lie in the compressed records of a chunk? They follow 53 bytes of head with codec `zstd`. */
function isCompressed(sample: Sample, byte: number): boolean {
  let start = 0;
  for (const part of sample.parts) {
    const chunkEnd = start + 9 + Number(new DataView(part.buffer, part.byteOffset).getBigUint64(1, true));
    if (part[0] === 6 && byte >= start + 53 && byte < chunkEnd) return true;
    start += part.length;
  }
  return false;
}

/**
 * Exhaustive: each bit of a small complete file is flipped. Reading everything either says so or gives
 * what was written; it may only give it where the bits are outside of what is read, or where the
 * compression has two ways to say the same. `verify` finds every one.
 */
describe.each([
  ['zstd', zstd],
  ['no compression', plainCodec],
])('a flipped bit in a file with %s', (_, codec) => {
  test('is detected, or changes nothing', () => {
    const sample = writeSample(9, { codec });
    const { bytes } = sample;
    const content = contentOf(open(bytes, codec));
    const [unreadFrom, unreadTo] = unreadOf(bytes);
    const codes = new Set<string>();
    const unnoticed: number[] = [];
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = flipped(bytes, bit);
      let history: History | undefined;
      let read: unknown;
      const code = codeOf(() => {
        history = open(damaged, codec);
        read = contentOf(history);
      });
      if (code !== undefined) {
        codes.add(code);
        continue;
      }
      unnoticed.push(bit >>> 3);
      expect(history?.damage).toBeUndefined();
      expect(read).toStrictEqual(content);
      expect(codeOf(() => history?.verify())).toBe('HISTORY_DAMAGED');
    }
    expect([...codes].sort()).toStrictEqual(['HISTORY_DAMAGED', 'HISTORY_FOREIGN', 'HISTORY_NOT_MCAP']);
    const elsewhere = unnoticed.filter((byte) => byte < unreadFrom || byte >= unreadTo);
    if (codec === plainCodec) expect(elsewhere).toStrictEqual([]);
    // A zstd frame has unused and redundant bits. What comes out of it was held against the CRC.
    expect(elsewhere.filter((byte) => !isCompressed(sample, byte))).toStrictEqual([]);
  });
});

describe('a file that was cut short', () => {
  const expectPrefix = (sample: Sample, full: Content, length: number): number => {
    const bytes = sample.bytes.slice(0, length);
    let history: History | undefined;
    const code = codeOf(() => {
      history = open(bytes);
      history.verify();
    });
    if (history === undefined) {
      expect(code).toBe(length < 1 ? 'HISTORY_NOT_MCAP' : 'HISTORY_NO_HEADER');
      expect(length).toBeLessThan((sample.parts[0] as Uint8Array).length);
      return 0;
    }
    expect(code).toBeUndefined();
    const { facts, stimuli } = contentOf(history);
    expect(facts).toStrictEqual(full.facts.slice(0, facts.length));
    expect(stimuli).toStrictEqual(full.stimuli.slice(0, stimuli.length));
    expect(history.damage).toMatchObject({ kind: 'truncated', lostFrom: facts.length });
    return facts.length;
  };

  test('at any byte is an error or a shorter history', () => {
    const sample = writeSample(20);
    const full = contentOf(open(sample.bytes));
    let most = 0;
    for (let length = 0; length < sample.bytes.length; length++) {
      const count = expectPrefix(sample, full, length);
      expect(count).toBeGreaterThanOrEqual(most);
      most = count;
    }
    expect(most).toBe(20);
  });

  test('keeps every chunk that is whole', () => {
    const sample = writeSample(20, { checkpointShift: 20, stimulusBytes: 30 });
    let length = 0;
    let facts = 0;
    for (const part of sample.parts) {
      length += part.length;
      if (length === sample.bytes.length) break;
      const history = open(sample.bytes.slice(0, length));
      expect(history.damage).toStrictEqual({ kind: 'truncated', lostFrom: history.factCount, bytes: 0 });
      // A chunk is whole without the message index behind it.
      if (part[0] === 6) expect(open(sample.bytes.slice(0, length - 5)).factCount).toBe(history.factCount);
      expect(history.factCount).toBeGreaterThanOrEqual(facts);
      facts = history.factCount;
    }
  });

  test('with a flipped bit besides is an error, or the beginning of what was written', () => {
    const sample = writeSample(20);
    const full = contentOf(open(sample.bytes));
    const cut = sample.bytes.slice(0, unreadOf(sample.bytes)[0] - 60);
    expect(open(cut).factCount).toBe(20);
    for (let bit = 0; bit < cut.length * 8; bit += 5) {
      codeOf(() => {
        const { facts, stimuli } = contentOf(open(flipped(cut, bit)));
        expect(facts).toStrictEqual(full.facts.slice(0, facts.length));
        expect(stimuli).toStrictEqual(full.stimuli.slice(0, stimuli.length));
      });
    }
  });
});

describe('a forged length', () => {
  test('is measured against the file before anything is read or made', () => {
    const sample = writeSample(12);
    const preamble = (sample.parts[0] as Uint8Array).length;
    for (const claim of [2n ** 26n, 2n ** 40n, 2n ** 63n]) {
      for (const at of [MAGIC.length + 1, preamble + 1]) {
        for (const cut of [0, 20]) {
          const bytes = sample.bytes.slice(0, sample.bytes.length - cut);
          new DataView(bytes.buffer).setBigUint64(at, claim, true);
          const code = codeOf(() => contentOf(open(bytes)));
          if (at === preamble + 1 && cut > 0 && claim === 2n ** 26n) expect(open(bytes).factCount).toBe(0);
          else expect(code).toMatch(/HISTORY_DAMAGED|HISTORY_NO_HEADER/);
        }
      }
    }
  });

  test('of a chunk before compression never becomes a buffer', () => {
    const asked: number[] = [];
    const codec: Codec = {
      ...zstd,
      decompress: (bytes, size) => {
        asked.push(size);
        return zstd.decompress(bytes, size);
      },
    };
    const sample = writeSample(12);
    const bytes = sample.bytes.slice();
    const chunk = (sample.parts[0] as Uint8Array).length;
    for (const claim of [2n ** 26n + 1n, 2n ** 32n, 2n ** 62n]) {
      new DataView(bytes.buffer).setBigUint64(chunk + 9 + 16, claim, true);
      expect(codeOf(() => [...open(bytes, codec).stimuli()])).toBe('HISTORY_DAMAGED');
    }
    expect(asked).toStrictEqual([]);
  });
});

test('a file of another kind is refused by name', () => {
  expect(codeOf(() => open(new Uint8Array(0)))).toBe('HISTORY_NOT_MCAP');
  expect(codeOf(() => open(new TextEncoder().encode('==1234== lackey, an example Valgrind tool')))).toBe(
    'HISTORY_NOT_MCAP',
  );
  expect(codeOf(() => open(writeSample(3).bytes, plainCodec))).toBe('HISTORY_CODEC');
  expect(sampleOptions.codec.name).toBe('zstd');
});
