import { isLoaded } from '@foxglove/wasm-zstd';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { openHistory } from './reader.ts';
import { contentOf, sampleArenas, sampleRecorded, sampleStimuli, zstd } from './sample-history.ts';
import { bytesSource } from './source.ts';

beforeAll(async () => {
  await isLoaded;
});

/**
 * Files that earlier versions wrote; they stay readable for ever. Each is the sample of 20 facts, as the first
 * version of its format wrote it. It is never written again: when the format changes, a file of the new one comes
 * beside it.
 */
test.each([1, 2])('a history of format %i says what it always said', (format) => {
  const bytes = readFileSync(new URL(`./fixtures/format-${format}.mcap`, import.meta.url));
  const history = openHistory(bytesSource(bytes), zstd);
  history.verify();
  const { facts, stimuli, checkpoints, arenas, closing } = contentOf(history);
  expect(history.header.format).toBe(format);
  expect(facts).toStrictEqual(Array.from({ length: 20 }, (_, seq) => sampleRecorded(seq)));
  expect(stimuli).toStrictEqual(sampleStimuli());
  expect(checkpoints.map((checkpoint) => checkpoint?.seq)).toStrictEqual([undefined, 8, 16]);
  expect(arenas).toStrictEqual(format === 1 ? [] : [sampleArenas(8), sampleArenas(16)]);
  expect(closing).toStrictEqual({ facts: 20, stimuli: 4, note: { digest: 'abc' } });
});
