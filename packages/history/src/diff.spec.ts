import { isLoaded } from '@foxglove/wasm-zstd';
import type { Fact, RecordedFact } from '@tablewalk/contracts';
import { beforeAll, expect, test } from 'vitest';
import { concat } from './bytes.ts';
import { diffHistories } from './diff.ts';
import { openHistory } from './reader.ts';
import type { History } from './reader.ts';
import { sampleOptions, sampleRecorded, zstd } from './sample-history.ts';
import { bytesSource } from './source.ts';
import { createHistoryWriter } from './writer.ts';

beforeAll(async () => {
  await isLoaded;
});

/** Facts 0 to `count`, some of them changed, in blocks that end at `ends`. */
function history(
  count: number,
  changes: Record<number, Partial<RecordedFact>> = {},
  ends: number[] = [],
): History {
  const parts: Uint8Array[] = [];
  const writer = createHistoryWriter({ ...sampleOptions, sink: (bytes) => void parts.push(bytes) });
  for (let seq = 0; seq < count; seq++) {
    writer.fact({ ...sampleRecorded(seq), ...changes[seq] });
    if (ends.includes(seq)) writer.flush();
  }
  writer.close();
  return openHistory(bytesSource(concat(parts)), zstd);
}

test('two histories of the same facts do not differ, whatever their blocks', () => {
  const diff = diffHistories(history(30), history(30, {}, [3, 4, 17]));
  expect(diff).toStrictEqual({
    factCount: [30, 30],
    first: undefined,
    firstMetadata: undefined,
    counts: new Map([
      ['ClockSkewed', [10, 10]],
      ['IpiSent', [10, 10]],
      ['PteSet', [10, 10]],
    ]),
  });
});

test('the first difference names the fact, the field and both values', () => {
  const list = { ...sampleRecorded(7).fact, args: [9] } as Fact;
  const other = history(30, { 7: { fact: list }, 9: { fact: sampleRecorded(8).fact } }, [6]);
  const { first, firstMetadata, counts } = diffHistories(history(30), other);
  expect(first).toStrictEqual({
    seq: 7,
    field: 'args',
    a: [7, 8, 9],
    b: [9],
    facts: [sampleRecorded(7), { ...sampleRecorded(7), fact: list }],
  });
  expect(firstMetadata).toBeUndefined();
  expect([counts.get('PteSet'), counts.get('ClockSkewed')]).toStrictEqual([
    [10, 9],
    [10, 11],
  ]);
});

test('another type is a difference of the field type', () => {
  const { first } = diffHistories(history(9), history(9, { 3: { fact: sampleRecorded(4).fact } }));
  expect([first?.seq, first?.field, first?.a, first?.b]).toStrictEqual([3, 'type', 'PteSet', 'IpiSent']);
});

test('who, where and when are compared apart from what happened', () => {
  const { first, firstMetadata } = diffHistories(
    history(9),
    history(9, { 4: { time: 41 }, 5: { by: 'other' } }),
  );
  expect(first).toBeUndefined();
  expect([firstMetadata?.seq, firstMetadata?.field, firstMetadata?.a, firstMetadata?.b]).toStrictEqual([
    4,
    'time',
    40,
    41,
  ]);
});

test('the end of one is a difference when the other goes on', () => {
  for (const [a, b] of [
    [9, 5],
    [5, 9],
  ] as const) {
    const { first, factCount } = diffHistories(history(a), history(b));
    expect(factCount).toStrictEqual([a, b]);
    expect([first?.seq, first?.field, first?.a, first?.b]).toStrictEqual([5, 'end', a > 5, b > 5]);
    expect(first?.facts.map((recorded) => recorded?.seq)).toStrictEqual(
      a > 5 ? [5, undefined] : [undefined, 5],
    );
  }
});
