import { assert, InvariantError } from '@tablewalk/base';
import type { Fact, RecordedFact, Stimulus } from '@tablewalk/contracts';
import type { McapTypes } from '@mcap/core';
import { crc32Final, crc32Init, crc32Update } from '@foxglove/crc';
import { encodeArenas } from './arenas.ts';
import type { ArenaCheckpoint } from './arenas.ts';
import { ByteWriter, concat } from './bytes.ts';
import { encodeChunk, MESSAGE_BYTES_MAX } from './chunk.ts';
import type { Codec } from './codec.ts';
import { FACTS_PER_BLOCK_MAX, LIST_ITEMS_PER_BLOCK_MAX } from './columns.ts';
import { encodeFacts } from './columns-write.ts';
import { channelId, closingRecord, encodePreamble, HISTORY_FORMAT, records } from './format.ts';
import type { ChannelName, HistoryClosing, HistoryHeader } from './format.ts';
import type { FactSchemaRecords } from './schemas.ts';
import { writeStimulus } from './stimuli.ts';
import { encodeSummary } from './summary.ts';

export interface HistoryWriterOptions {
  /** Gets the bytes of the file, front to back; each call is a whole number of records, and its to keep. */
  readonly sink: (bytes: Uint8Array) => void;
  readonly codec: Codec;
  readonly header: Omit<HistoryHeader, 'format' | 'facts' | 'codec'>;
  /** Of every fact type that may come; see recordSchemas. */
  readonly schemas: FactSchemaRecords;
  /** A checkpoint is wanted every 2^k facts; k is 14 unless told. */
  readonly checkpointShift?: number;
  /** Facts and stimuli are written out when the stimuli come to so many bytes; 256 KiB unless told. */
  readonly stimulusBytes?: number;
}

export interface HistoryWriter {
  stimulus(stimulus: Stimulus): void;
  /** Facts come in the order of `seq`, from 0. */
  fact(recorded: RecordedFact): void;
  /** Is it time for a checkpoint of the world with `seq` facts? */
  wantsCheckpoint(seq: number): boolean;
  /**
   * The world, as JSON, after the `seq` facts written so far. A checkpoint only saves time: one that
   * is too large for a chunk is left out, and the answer is false.
   */
  checkpoint(seq: number, world: unknown): boolean;
  /** The arenas after the facts written so far, and what is under way beside the world; as `checkpoint`. */
  arenas(checkpoint: ArenaCheckpoint): boolean;
  /** Writes out what waits. A process that is killed loses what came after. */
  flush(): void;
  /** Ends the file; `note` is kept in its closing record. */
  close(note?: unknown): void;
  /** Bytes given to the sink. */
  readonly bytes: number;
}

/** A block is written out at so many list items and characters, and no fact has more. */
const BLOCK_ITEMS = LIST_ITEMS_PER_BLOCK_MAX / 2;

export const createHistoryWriter = (options: HistoryWriterOptions): HistoryWriter => new Writer(options);

/**
 * Invariants:
 * 1. Stimuli are written before the facts that they led to, and facts before a checkpoint of them.
 * 2. What is kept in memory is what waits (bounded) and the index (one entry a chunk).
 */
class Writer implements HistoryWriter {
  bytes = 0;
  private crc = crc32Init();
  private readonly chunks: McapTypes.ChunkIndex[] = [];
  private readonly metadata: McapTypes.MetadataIndex[];
  private readonly header: HistoryHeader;
  private readonly unbounded: ReadonlyMap<string, readonly string[]>;

  private facts = 0;
  private waitingFacts: RecordedFact[] = [];
  private waitingItems = 0;
  private stimuli = 0;
  private waitingStimuli = 0;
  private readonly stimulusColumns = new ByteWriter(2 ** 16);
  private checkpointAt = 0;
  private arenasAt = 0;
  private readonly checkpointEvery: number;
  private readonly stimulusBytes: number;
  private closed = false;

  constructor(private readonly options: HistoryWriterOptions) {
    const { header, schemas, codec } = options;
    this.header = { ...header, format: HISTORY_FORMAT, codec: codec.name, facts: schemas };
    this.unbounded = unboundedFields(schemas);
    this.checkpointEvery = 2 ** (options.checkpointShift ?? 14);
    this.stimulusBytes = options.stimulusBytes ?? 2 ** 18;
    const preamble = encodePreamble(this.header);
    this.metadata = preamble.index;
    this.write(preamble.bytes);
  }

  stimulus(stimulus: Stimulus): void {
    assert(!this.closed, 'the history is closed');
    writeStimulus(this.stimulusColumns, stimulus);
    this.stimuli += 1;
    this.waitingStimuli += 1;
    if (this.stimulusColumns.length >= this.stimulusBytes) this.flush();
  }

  fact(recorded: RecordedFact): void {
    assert(!this.closed, 'the history is closed');
    const { seq, fact } = recorded;
    if (seq !== this.facts) throw new InvariantError(`fact ${seq} comes where ${this.facts} is due`);
    const items = this.itemsOf(fact);
    this.waitingFacts.push(recorded);
    this.facts += 1;
    this.waitingItems += items;
    const full = this.waitingFacts.length === FACTS_PER_BLOCK_MAX;
    if (full || this.waitingItems >= BLOCK_ITEMS) this.flush();
  }

  /** Items of lists and characters of strings: a block must not grow without bound. */
  private itemsOf(fact: Fact): number {
    const fields = this.unbounded.get(fact.type);
    if (fields === undefined) throw new InvariantError(`fact type ${fact.type} has no schema`);
    let items = 0;
    for (let i = 0; i < fields.length; i++)
      items += (fact as unknown as Record<string, ArrayLike<unknown>>)[fields[i] as string]?.length ?? 0;
    if (items > BLOCK_ITEMS) throw new InvariantError(`${fact.type} has ${items} items and characters`);
    return items;
  }

  wantsCheckpoint(seq: number): boolean {
    return seq - this.checkpointAt >= this.checkpointEvery;
  }

  checkpoint(seq: number, world: unknown): boolean {
    assert(seq === this.facts, `a checkpoint of ${seq} facts after ${this.facts}`);
    assert(seq > this.checkpointAt, `a second checkpoint of ${seq} facts`);
    this.checkpointAt = seq;
    const json = new TextEncoder().encode(JSON.stringify({ seq, world }));
    if (json.length > MESSAGE_BYTES_MAX) return false;
    this.flush();
    this.chunk('checkpoints', seq, json);
    return true;
  }

  arenas(checkpoint: ArenaCheckpoint): boolean {
    const { seq } = checkpoint;
    assert(seq === this.facts, `arenas of ${seq} facts after ${this.facts}`);
    assert(seq > this.arenasAt, `arenas of ${seq} facts a second time`);
    this.arenasAt = seq;
    const bytes = encodeArenas(checkpoint);
    if (bytes.length > MESSAGE_BYTES_MAX) return false;
    this.flush();
    this.chunk('arenas', seq, bytes);
    return true;
  }

  flush(): void {
    if (this.waitingStimuli > 0) {
      const count = countBytes(this.waitingStimuli);
      const columns = this.stimulusColumns.bytes();
      this.chunk('stimuli', this.stimuli - this.waitingStimuli, concat([count, columns]));
      this.stimulusColumns.reset();
      this.waitingStimuli = 0;
    }
    if (this.waitingFacts.length > 0) {
      const first = this.facts - this.waitingFacts.length;
      this.chunk('facts', first, encodeFacts(this.waitingFacts, this.header.facts));
      this.waitingFacts = [];
      this.waitingItems = 0;
    }
  }

  close(note?: unknown): void {
    assert(!this.closed, 'the history is closed');
    this.flush();
    this.closed = true;
    const counts = { facts: this.facts, stimuli: this.stimuli };
    const closing: HistoryClosing = note === undefined ? counts : { ...counts, note };
    const record = closingRecord(closing);
    const offset = BigInt(this.bytes);
    let length = 0n;
    this.write(records((out) => (length = out.writeMetadata(record))));
    this.metadata.push({ name: record.name, offset, length });
    const dataSectionCrc = crc32Final(this.crc);
    this.write(records((out) => out.writeDataEnd({ dataSectionCrc })));
    const schemas = Object.keys(this.header.facts).length;
    this.write(encodeSummary(this.bytes, schemas, this.chunks, this.metadata));
  }

  private chunk(channel: ChannelName, first: number, data: Uint8Array): void {
    const { bytes, entry } = encodeChunk(channel, first, data, this.options.codec);
    const start = BigInt(this.bytes);
    const messageIndexOffsets = new Map([[channelId(channel), start + entry.chunkLength]]);
    this.chunks.push({ ...entry, chunkStartOffset: start, messageIndexOffsets });
    this.write(bytes);
  }

  private write(bytes: Uint8Array): void {
    this.crc = crc32Update(this.crc, bytes);
    this.bytes += bytes.length;
    this.options.sink(bytes);
  }
}

function countBytes(count: number): Uint8Array {
  const out = new ByteWriter(8);
  out.natural(count);
  return out.bytes();
}

/** Fields of a type that can be of any length. */
function unboundedFields(schemas: FactSchemaRecords): ReadonlyMap<string, readonly string[]> {
  const unbounded = new Map<string, readonly string[]>();
  for (const [type, { fields }] of Object.entries(schemas))
    unbounded.set(
      type,
      Object.keys(fields).filter((field) => fields[field] === 's' || fields[field] === 'us'),
    );
  return unbounded;
}
