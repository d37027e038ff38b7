import { isLoaded } from '@foxglove/wasm-zstd';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { openHistory } from './reader.ts';
import { contentOf, sampleRecorded, sampleStimuli, zstd } from './sample-history.ts';
import { bytesSource } from './source.ts';

beforeAll(async () => {
  await isLoaded;
});

/**
 * Files that earlier versions wrote; they stay readable for ever. `format-1.mcap` is the sample of 20
 * facts as version 0.1.0 wrote it. It is never written again: when the format changes, a file of the
 * new one comes beside it.
 */
test('a history of format 1 says what it always said', () => {
  const bytes = readFileSync(new URL('./fixtures/format-1.mcap', import.meta.url));
  const history = openHistory(bytesSource(bytes), zstd);
  history.verify();
  const { facts, stimuli, checkpoints, closing } = contentOf(history);
  expect(facts).toStrictEqual(Array.from({ length: 20 }, (_, seq) => sampleRecorded(seq)));
  expect(stimuli).toStrictEqual(sampleStimuli());
  expect(checkpoints.map((checkpoint) => checkpoint?.seq)).toStrictEqual([undefined, 8, 16]);
  expect(closing).toStrictEqual({ facts: 20, stimuli: 4, note: { digest: 'abc' } });
});
