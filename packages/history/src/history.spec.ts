import { decompress, isLoaded } from '@foxglove/wasm-zstd';
import { InvariantError } from '@tablewalk/base';
import type { RecordedFact } from '@tablewalk/contracts';
import { McapIndexedReader } from '@mcap/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { concat } from './bytes.ts';
import { plainCodec } from './codec.ts';
import { recordedAt } from './columns.ts';
import { CHUNK_BYTES_MAX, HISTORY_FORMAT } from './format.ts';
import { openHistory } from './reader.ts';
import type { History } from './reader.ts';
import {
  contentOf,
  sampleArenas,
  sampleFacts,
  sampleOptions,
  sampleRecorded,
  sampleStimuli,
  writeSample,
  zstd,
} from './sample-history.ts';
import { recordSchemas } from './schemas.ts';
import { bytesSource } from './source.ts';
import { createHistoryWriter } from './writer.ts';

beforeAll(async () => {
  await isLoaded;
});

const open = (bytes: Uint8Array): History => openHistory(bytesSource(bytes), zstd);
const recorded = (from: number, to: number): RecordedFact[] =>
  Array.from({ length: to - from }, (_, i) => sampleRecorded(from + i));

describe('a history', () => {
  test('says everything that was written, and nothing else', () => {
    for (const codec of [zstd, plainCodec]) {
      const history = openHistory(bytesSource(writeSample(20, { codec }).bytes), codec);
      expect(contentOf(history)).toStrictEqual({
        header: {
          ...sampleOptions.header,
          format: HISTORY_FORMAT,
          codec: codec.name,
          facts: recordSchemas(sampleFacts),
        },
        closing: { facts: 20, stimuli: 4, note: { digest: 'abc' } },
        facts: recorded(0, 20),
        stimuli: sampleStimuli(),
        checkpoints: [undefined, { seq: 8, world: { facts: 8 } }, { seq: 16, world: { facts: 16 } }],
        arenas: [sampleArenas(8), sampleArenas(16)],
      });
      expect(history.damage).toBeUndefined();
      history.verify();
    }
  });

  test('may have fact types that are named in words', () => {
    const schemas = recordSchemas({
      'tlb[0] written': { value: 'us' },
      tlb: { written: 'u' },
      'tlb written': {},
    });
    const facts = [
      { type: 'tlb[0] written', value: [1] },
      { type: 'tlb', written: 2 },
      { type: 'tlb written' },
    ];
    const parts: Uint8Array[] = [];
    const writer = createHistoryWriter({ ...sampleOptions, schemas, sink: (bytes) => parts.push(bytes) });
    facts.forEach((fact, seq) => writer.fact({ ...sampleRecorded(seq), fact }));
    writer.close();
    expect([...open(concat(parts)).facts()].map(({ fact }) => fact)).toStrictEqual(facts);
  });

  test('may be empty', () => {
    const history = open(writeSample(0).bytes);
    expect([...history.facts()]).toStrictEqual([]);
    expect(history.closing).toStrictEqual({ facts: 0, stimuli: 0, note: { digest: 'abc' } });
    history.verify();
  });

  test('has the same bytes each time it is written', () => {
    expect(writeSample(20).bytes).toStrictEqual(writeSample(20).bytes);
  });

  test('is read in part by reading the chunks of that part alone', () => {
    const { bytes } = writeSample(10_000, { checkpointShift: 12 });
    let readBytes = 0;
    const source = bytesSource(bytes);
    const history = openHistory(
      { size: source.size, read: (offset, length) => ((readBytes += length), source.read(offset, length)) },
      zstd,
    );
    expect(history.blockCount).toBe(3);
    readBytes = 0;
    expect([...history.facts(5000, 5003)]).toStrictEqual(recorded(5000, 5003));
    expect(history.checkpointAtOrBefore(5000)).toStrictEqual({ seq: 4096, world: { facts: 4096 } });
    expect(readBytes).toBeLessThan(bytes.length / 2);

    expect([...history.facts(4094, 4098)]).toStrictEqual(recorded(4094, 4098));
    expect([...history.facts(9_998)]).toStrictEqual(recorded(9_998, 10_000));
    expect([...history.facts(10_000)]).toStrictEqual([]);
    const block = history.readBlock(history.blockOf(8192));
    expect([block.first, block.count]).toStrictEqual([8192, 10_000 - 8192]);
    expect(recordedAt(block, 1)).toStrictEqual(sampleRecorded(8193));
    expect(history.checkpointAtOrBefore(4095)).toBeUndefined();
    expect([...history.stimuli(2)]).toStrictEqual(sampleStimuli().slice(2));
  });

  test('is an MCAP file to the programs of others', async () => {
    const { bytes } = writeSample(20);
    const reader = await McapIndexedReader.Initialize({
      readable: {
        size: async () => BigInt(bytes.length),
        read: async (offset, size) => bytes.slice(Number(offset), Number(offset + size)),
      },
      decompressHandlers: { zstd: (data, size) => decompress(data, Number(size)) },
    });
    const topics = new Map([...reader.channelsById.values()].map((channel) => [channel.id, channel.topic]));
    const found: string[] = [];
    for await (const message of reader.readMessages())
      found.push(`${topics.get(message.channelId)} ${message.logTime}`);
    // Their order is that of the numbers: seqs of facts and checkpoints, numbers of stimuli.
    expect(found.sort()).toStrictEqual([
      ...[
        'arenas 16',
        'arenas 8',
        'checkpoints 16',
        'checkpoints 8',
        'facts 0',
        'facts 16',
        'facts 8',
        'stimuli 0',
        'stimuli 2',
      ],
    ]);
    expect(reader.statistics).toMatchObject({
      messageCount: 9n,
      chunkCount: 9,
      schemaCount: 3,
      metadataCount: 3,
    });
    const metadata: string[] = [];
    for await (const { name } of reader.readMetadata()) metadata.push(name);
    expect(metadata).toStrictEqual(['tablewalk.history', 'tablewalk.preamble', 'tablewalk.closing']);
  });
});

describe('a writer', () => {
  test('writes stimuli before the facts that they led to, and out when there is enough of either', () => {
    const parts: Uint8Array[] = [];
    const sink = (bytes: Uint8Array): void => void parts.push(bytes);
    const writer = createHistoryWriter({ ...sampleOptions, sink, stimulusBytes: 80 });
    expect(parts).toHaveLength(1);
    const [process, batch, choice] = sampleStimuli();
    writer.stimulus(process as never);
    for (let seq = 0; seq < 4095; seq++) writer.fact(sampleRecorded(seq));
    expect(parts).toHaveLength(1);
    writer.fact(sampleRecorded(4095));
    expect(parts).toHaveLength(3);
    const killed = open(concat(parts));
    expect([killed.stimulusCount, killed.factCount]).toStrictEqual([1, 4096]);

    writer.fact(sampleRecorded(4096));
    writer.stimulus(batch as never);
    writer.stimulus(choice as never);
    expect(parts).toHaveLength(3);
    writer.stimulus(batch as never);
    const later = open(concat(parts));
    expect([later.stimulusCount, later.factCount]).toStrictEqual([4, 4097]);
    expect(writer.bytes).toBe(concat(parts).length);
  });

  test('wants a checkpoint when 2^k facts have come since the last, wherever the machine stops', () => {
    const writer = createHistoryWriter({ ...sampleOptions, sink: () => undefined, checkpointShift: 3 });
    const wanted: number[] = [];
    for (let seq = 0; seq < 40; seq++) {
      writer.fact(sampleRecorded(seq));
      // This machine can be looked at after every fifth fact only.
      if ((seq + 1) % 5 !== 0 || !writer.wantsCheckpoint(seq + 1)) continue;
      wanted.push(seq + 1);
      writer.checkpoint(seq + 1, {});
    }
    expect(wanted).toStrictEqual([10, 20, 30, 40]);
  });

  test('leaves out a checkpoint that no chunk can hold', () => {
    const parts: Uint8Array[] = [];
    const writer = createHistoryWriter({ ...sampleOptions, sink: (bytes) => void parts.push(bytes) });
    writer.fact(sampleRecorded(0));
    expect(writer.checkpoint(1, 'x'.repeat(CHUNK_BYTES_MAX))).toBe(false);
    writer.close();
    expect(open(concat(parts)).checkpointAtOrBefore(1)).toBeUndefined();
  });

  test('starts a new block before long lists make one too large', () => {
    const parts: Uint8Array[] = [];
    const writer = createHistoryWriter({ ...sampleOptions, sink: (bytes) => void parts.push(bytes) });
    const args = new Array<number>(2 ** 18).fill(1);
    for (let seq = 0; seq < 9; seq++) {
      const fact = { type: 'IpiSent', to: 0, program: 'long', args };
      writer.fact({ ...sampleRecorded(seq), fact });
    }
    writer.close();
    const history = open(concat(parts));
    expect(history.blockCount).toBe(3);
    history.verify();
    const longer = { type: 'IpiSent', to: 0, program: 'long', args: new Array<number>(2 ** 20 + 1).fill(1) };
    const other = createHistoryWriter({ ...sampleOptions, sink: () => undefined });
    expect(() => other.fact({ ...sampleRecorded(0), fact: longer })).toThrow(InvariantError);
  });

  test('crashes on what only a mistake of the program can cause', () => {
    const writer = createHistoryWriter({ ...sampleOptions, sink: () => undefined });
    expect(() => writer.fact(sampleRecorded(1))).toThrow('fact 1 comes where 0 is due');
    expect(() => writer.fact({ ...sampleRecorded(0), fact: { type: 'Unheard' } })).toThrow('has no schema');
    expect(() => writer.checkpoint(5, {})).toThrow('a checkpoint of 5 facts after 0');
    writer.close();
    expect(() => writer.fact(sampleRecorded(0))).toThrow('closed');
    expect(() => writer.close()).toThrow('closed');
    expect(() => recordSchemas({ ['__proto__x "y']: {} })).toThrow('cannot be the name');
    expect(() => recordSchemas({ A: { type: 'u' } })).toThrow('cannot be a field');
  });
});
