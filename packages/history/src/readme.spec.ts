import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bytesSource, concat, createHistoryWriter, openHistory, plainCodec, recordSchemas } from './index.ts';

test('the example of the README runs', () => {
  const parts: Uint8Array[] = [];
  const schemas = recordSchemas({ PageFreed: { pfn: 'u', order: 'u' } });
  const header = { tablewalk: '0.1.0', config: { cpus: 1 }, plugins: {}, seed: 7 };
  const sink = (bytes: Uint8Array) => void parts.push(bytes);
  const writer = createHistoryWriter({ sink, codec: plainCodec, header, schemas });
  const fact = { type: 'PageFreed', pfn: 42, order: 0 };
  writer.fact({ seq: 0, by: 'frames-free-list', cpu: 0, time: 120, stimulus: -1, fact });
  writer.close({ verdict: 'clean' });

  const history = openHistory(bytesSource(concat(parts)), plainCodec, { schemas });
  const freed = [...history.facts()].map((recorded) => recorded.fact);
  expect(freed).toStrictEqual([fact]);
});

test('it is the example that stands there', () => {
  const here = withoutLayout(readFileSync(new URL('./readme.spec.ts', import.meta.url), 'utf8'));
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, example] = /```ts\n([^]*?)```/.exec(readme) as unknown as [string, string];
  for (const line of example.split('\n')) expect(here).toContain(withoutLayout(line));
});

/** A formatter may break lines. */
const withoutLayout = (text: string): string => text.replace(/\s+|,(?=\s*[}\])])/g, '');
