import { isLoaded } from '@foxglove/wasm-zstd';
import { HistoryError } from '@tablewalk/base';
import type { Fact } from '@tablewalk/contracts';
import { beforeAll, expect, test } from 'vitest';
import { concat } from './bytes.ts';
import { checkedHeader, encodePreamble, HISTORY_FORMAT } from './format.ts';
import { openHistory } from './reader.ts';
import type { HistoryOptions } from './reader.ts';
import { sampleOptions, zstd } from './sample-history.ts';
import { recordSchemas } from './schemas.ts';
import { bytesSource } from './source.ts';
import { createHistoryWriter } from './writer.ts';

beforeAll(async () => {
  await isLoaded;
});

/** A history of one old fact, read by a program that has `options`. */
function readOld(schema: Parameters<typeof recordSchemas>, fact: Fact, options: HistoryOptions): Fact[] {
  const parts: Uint8Array[] = [];
  const schemas = recordSchemas(...schema);
  const writer = createHistoryWriter({ ...sampleOptions, schemas, sink: (bytes) => void parts.push(bytes) });
  writer.fact({ seq: 0, by: 'kernel', cpu: 0, time: 1, stimulus: 0, fact });
  writer.close();
  return [...openHistory(bytesSource(concat(parts)), zstd, options).facts()].map((recorded) => recorded.fact);
}

function refusal(act: () => unknown): HistoryError | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof HistoryError) return error;
    throw error;
  }
}

/** PageFreed began with `pfn` alone; version 2 had `order`, version 3 calls it `pages`. */
const upcasters = {
  PageFreed: {
    1: (fact: Fact): Fact => ({ ...fact, order: 0 }) as Fact,
    2: (fact: Fact): Fact => {
      const { pfn, order } = fact as Fact & { pfn: number; order: number };
      return { type: 'PageFreed', pfn, pages: 2 ** order } as Fact;
    },
  },
};
const current = recordSchemas({ PageFreed: { pfn: 'u', pages: 'u' } }, { PageFreed: 3 });
const old = { type: 'PageFreed', pfn: 7 } as Fact;

test('a fact of an older version is lifted step by step', () => {
  const lifted = readOld([{ PageFreed: { pfn: 'u' } }], old, { schemas: current, upcasters });
  expect(lifted).toStrictEqual([{ type: 'PageFreed', pfn: 7, pages: 1 }]);
  const second = { type: 'PageFreed', pfn: 7, order: 3 } as Fact;
  const schema = [{ PageFreed: { pfn: 'u', order: 'u' } }, { PageFreed: 2 }] as const;
  const fromSecond = readOld([...schema], second, { schemas: current, upcasters });
  expect(fromSecond).toStrictEqual([{ type: 'PageFreed', pfn: 7, pages: 8 }]);
});

test('a fact of a type that was renamed is lifted to the other type', () => {
  const lift = {
    FrameFreed: { 1: (fact: Fact): Fact => ({ ...fact, type: 'PageFreed', pages: 1 }) as Fact },
  };
  const renamed = { type: 'FrameFreed', pfn: 7 } as Fact;
  const lifted = readOld([{ FrameFreed: { pfn: 'u' } }], renamed, { schemas: current, upcasters: lift });
  expect(lifted).toStrictEqual([{ type: 'PageFreed', pfn: 7, pages: 1 }]);
});

test('facts that cannot be lifted are refused before the first is read', () => {
  const without = refusal(() => readOld([{ PageFreed: { pfn: 'u' } }], old, { schemas: current }));
  expect(without?.code).toBe('HISTORY_VERSION');
  expect(without?.report.why).toContain('no upcaster lifts it from version 1');

  const schemas = recordSchemas({ PageFreed: { pfn: 'u' } });
  const newer = refusal(() => readOld([{ PageFreed: { pfn: 'u' } }, { PageFreed: 2 }], old, { schemas }));
  expect(newer?.code).toBe('HISTORY_VERSION');
  expect(newer?.report.what).toContain('recorded in version 2; this program has version 1');

  const changed = recordSchemas({ PageFreed: { pfn: 'i' } });
  expect(refusal(() => readOld([{ PageFreed: { pfn: 'u' } }], old, { schemas: changed }))?.code).toBe(
    'HISTORY_SCHEMA',
  );
});

test('facts that this program does not know are read as they are', () => {
  expect(readOld([{ PageFreed: { pfn: 'u' } }], old, { schemas: {} })).toStrictEqual([old]);
  expect(readOld([{ PageFreed: { pfn: 'u' } }], old, {})).toStrictEqual([old]);
});

test('a newer format is refused by the name of who wrote it', () => {
  const header = {
    ...sampleOptions.header,
    format: HISTORY_FORMAT + 1,
    codec: 'zstd',
    facts: {},
    tablewalk: '9.1.0',
  };
  const error = refusal(() => openHistory(bytesSource(encodePreamble(header).bytes), zstd));
  expect(error?.code).toBe('HISTORY_VERSION');
  expect(error?.report.fix).toContain('9.1.0');
  expect(refusal(() => checkedHeader({ ...header, format: 1, facts: { A: 1 } }, 'here'))?.code).toBe(
    'HISTORY_DAMAGED',
  );
});
