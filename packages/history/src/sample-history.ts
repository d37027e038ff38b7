import { compress, decompress } from '@foxglove/wasm-zstd';
import { accessBatch, defineFacts, pushAccess } from '@tablewalk/contracts';
import type { Fact, RecordedFact, Stimulus } from '@tablewalk/contracts';
import type { ArenaCheckpoint } from './arenas.ts';
import { concat } from './bytes.ts';
import type { Codec } from './codec.ts';
import type { Checkpoint, History } from './reader.ts';
import { recordSchemas } from './schemas.ts';
import { createHistoryWriter } from './writer.ts';
import type { HistoryWriterOptions } from './writer.ts';

/** Histories for spec files: small, complete, with every kind of field, stimulus and record. */

/** Usable when `isLoaded` of the WASM module has resolved. */
export const zstd: Codec = {
  name: 'zstd',
  compress: (bytes) => compress(bytes, 3),
  decompress: (bytes, size) => decompress(bytes, size),
};

export const sampleFacts = defineFacts({
  PteSet: { mm: 'u', va: 'u', young: 'b' },
  IpiSent: { to: 'u', program: 's', args: 'us' },
  ClockSkewed: { by: 'i' },
});

export function sampleFact(i: number): Fact {
  const facts = [
    { type: 'PteSet', mm: 1, va: 0x8000_0000 + i * 4096, young: i % 2 === 0 },
    {
      type: 'IpiSent',
      to: 1,
      program: 'flush_tlb_page',
      args: Array.from({ length: i % 4 }, (_, n) => i + n),
    },
    { type: 'ClockSkewed', by: 5 - i },
  ];
  return facts[i % 3] as Fact;
}

export const sampleRecorded = (seq: number): RecordedFact => ({
  seq,
  by: seq % 3 === 0 ? 'page-table' : 'kernel',
  cpu: (seq % 3) - 1,
  time: seq * 10,
  stimulus: Math.floor(seq / 8) - 1,
  fact: sampleFact(seq),
});

export function sampleStimuli(): Stimulus[] {
  const batch = accessBatch(5);
  for (let i = 0; i < 5; i++) pushAccess(batch, i === 3 ? 2 : 0, 0xb6f0_0000 + i * 4, 4);
  return [
    { kind: 'process', mm: 1, name: 'true' },
    { kind: 'batch', mm: 1, index: 0, batch },
    { kind: 'choice', taken: 1, of: 3 },
    { kind: 'batch', mm: 1, index: 1, batch: accessBatch(0) },
  ];
}

export const sampleOptions: Omit<HistoryWriterOptions, 'sink'> = {
  codec: zstd,
  header: { tablewalk: '0.1.0', config: { cpus: 2 }, plugins: { 'page-table-arm-short': '0.1.0' }, seed: 7 },
  schemas: recordSchemas(sampleFacts),
  checkpointShift: 2,
};

export const sampleArenas = (seq: number): ArenaCheckpoint => ({
  seq,
  stimuli: 2,
  retired: seq * 1000,
  batches: new Map([[1, 1]]),
  image: [Int32Array.of(-1, seq), Uint8Array.of(7), Float64Array.of(seq + 0.5), new Int32Array(0)],
});

/** The parts as the sink got them, and the whole. */
export interface Sample {
  readonly parts: readonly Uint8Array[];
  readonly bytes: Uint8Array;
}

/** Stimuli come two at a time before every eighth fact; blocks end with checkpoints, every 8 facts. */
export function writeSample(count: number, changed: Partial<HistoryWriterOptions> = {}): Sample {
  const parts: Uint8Array[] = [];
  const options = { ...sampleOptions, checkpointShift: 3, ...changed };
  const writer = createHistoryWriter({ ...options, sink: (bytes) => void parts.push(bytes) });
  const stimuli = sampleStimuli();
  for (let seq = 0; seq < count; seq++) {
    if (seq % 8 === 0) for (const stimulus of stimuli.splice(0, 2)) writer.stimulus(stimulus);
    writer.fact(sampleRecorded(seq));
    if (!writer.wantsCheckpoint(seq + 1)) continue;
    writer.checkpoint(seq + 1, { facts: seq + 1 });
    writer.arenas(sampleArenas(seq + 1));
  }
  writer.close({ digest: 'abc' });
  return { parts, bytes: concat(parts) };
}

/** Everything that a history says, as one value to compare. */
export interface Content {
  readonly header: unknown;
  readonly closing: unknown;
  readonly facts: readonly RecordedFact[];
  readonly stimuli: readonly Stimulus[];
  readonly checkpoints: readonly (Checkpoint | undefined)[];
  readonly arenas: readonly ArenaCheckpoint[];
}

export function contentOf(history: History): Content {
  const facts = [...history.facts()];
  const seqs = Array.from({ length: history.factCount + 1 }, (_, seq) => seq);
  return {
    header: history.header,
    closing: history.closing,
    facts,
    stimuli: [...history.stimuli()],
    checkpoints: seqs.filter((seq) => seq % 8 === 0).map((seq) => history.checkpointAtOrBefore(seq)),
    arenas: history.arenaSeqs.map((seq) => history.arenasAt(seq)),
  };
}
