import { HistoryError } from '@tablewalk/base';
import { MCAP_MAGIC, McapRecordBuilder } from '@mcap/core';
import type { McapTypes } from '@mcap/core';
import { crc32 } from '@foxglove/crc';
import { isRecord, jsonSchemaOf, schemasMistake } from './schemas.ts';
import type { FactSchemaRecords } from './schemas.ts';
import { damaged } from './bytes.ts';

/** The version of this file format; docs in README.md. Older ones stay readable (1 knows no arenas and measures). */
export const HISTORY_FORMAT = 2;
export const PROFILE = 'tablewalk';

export const MAGIC: Uint8Array = Uint8Array.from(MCAP_MAGIC);
/** Opcode and length, before the content of every record. */
export const FRAME_BYTES = 9;
export const DATA_END_BYTES = FRAME_BYTES + 4;
export const FOOTER_BYTES = FRAME_BYTES + 20;
/** A chunk does not hold more than this before compression; no reader makes a larger buffer. */
export const CHUNK_BYTES_MAX = 2 ** 26;
/** Magic, header, metadata, schemas and channels together. */
export const PREAMBLE_BYTES_MAX = 2 ** 25;

export const HEADER_METADATA = 'tablewalk.history';
export const PREAMBLE_METADATA = 'tablewalk.preamble';
export const CLOSING_METADATA = 'tablewalk.closing';

export type ChannelName = 'facts' | 'stimuli' | 'checkpoints' | 'arenas';
export const CHANNEL_NAMES: readonly ChannelName[] = ['facts', 'stimuli', 'checkpoints', 'arenas'];
const ENCODINGS = {
  facts: 'tablewalk.facts',
  stimuli: 'tablewalk.stimuli',
  checkpoints: 'json',
  arenas: 'tablewalk.arenas',
} as const;
export const channelId = (name: ChannelName): number => CHANNEL_NAMES.indexOf(name) + 1;

/** What a machine was when it began: enough to decide everything again. */
export interface HistoryHeader {
  readonly format: number;
  /** The version of Tablewalk that wrote the file. */
  readonly tablewalk: string;
  /** The effective config, as JSON. */
  readonly config: unknown;
  /** Versions by plugin id. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly seed: number;
  /** What chunks are compressed with: a Codec's name. */
  readonly codec: string;
  readonly facts: FactSchemaRecords;
  /** Where a branch came from. */
  readonly branchedFrom?: { readonly history: string; readonly at: number };
}

/** What is known when a history is complete. `note` is the caller's: a digest of the world, a verdict. */
export interface HistoryClosing {
  readonly facts: number;
  readonly stimuli: number;
  readonly note?: unknown;
}

/** Record by record, as bytes. */
export function records(write: (builder: McapRecordBuilder) => void): Uint8Array {
  const builder = new McapRecordBuilder();
  write(builder);
  return builder.buffer;
}

export const channelRecord = (name: ChannelName): McapTypes.Channel => ({
  id: channelId(name),
  schemaId: 0,
  topic: name,
  messageEncoding: ENCODINGS[name],
  metadata: new Map(),
});

/** JSON in a metadata record, with a checksum that MCAP does not give to metadata. */
export function jsonMetadata(name: string, value: unknown): McapTypes.Metadata {
  const json = JSON.stringify(value);
  return {
    name,
    metadata: new Map([
      ['json', json],
      ['crc32', crcOfText(json)],
    ]),
  };
}

export function readJsonMetadata(record: McapTypes.Metadata, at: number): unknown {
  const json = record.metadata.get('json');
  if (json === undefined || record.metadata.get('crc32') !== crcOfText(json))
    throw damaged(`the metadata ${record.name} does not have the checksum that it names`, `byte ${at}`);
  return parseJson(json, `byte ${at}, metadata ${record.name}`);
}

export function parseJson(text: string, at: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(`it is no JSON (${String(error)})`, at);
  }
}

const crcOfText = (text: string): string => hex32(crc32(new TextEncoder().encode(text)));
const hex32 = (value: number): string => value.toString(16).padStart(8, '0');

/** Says of all bytes before it what their checksum is. */
export const preambleMetadata = (before: Uint8Array): McapTypes.Metadata => ({
  name: PREAMBLE_METADATA,
  metadata: new Map([
    ['bytes', String(before.length)],
    ['crc32', hex32(crc32(before))],
  ]),
});

/** Everything before the first chunk. */
export function encodePreamble(header: HistoryHeader): {
  bytes: Uint8Array;
  index: McapTypes.MetadataIndex[];
} {
  const index: McapTypes.MetadataIndex[] = [];
  const bytes = records((builder) => {
    const metadata = (record: McapTypes.Metadata): void => {
      const offset = BigInt(builder.length);
      index.push({ name: record.name, offset, length: builder.writeMetadata(record) });
    };
    builder.writeMagic();
    builder.writeHeader({ profile: PROFILE, library: `tablewalk ${header.tablewalk}` });
    metadata(jsonMetadata(HEADER_METADATA, header));
    let id = 0;
    for (const [name, schema] of Object.entries(header.facts)) {
      const data = new TextEncoder().encode(JSON.stringify(jsonSchemaOf(name, schema)));
      builder.writeSchema({ id: ++id, name, encoding: 'jsonschema', data });
    }
    for (const name of CHANNEL_NAMES) builder.writeChannel(channelRecord(name));
    metadata(preambleMetadata(builder.buffer));
  });
  return { bytes, index };
}

/** Checks a header that was read, of this format or of an older one. */
export function checkedHeader(value: unknown, at: string): HistoryHeader {
  if (!isRecord(value)) throw damaged('the header is no object', at);
  const { format, tablewalk } = value;
  if (typeof format !== 'number' || typeof tablewalk !== 'string')
    throw damaged('the header names no version', at);
  if (format > HISTORY_FORMAT)
    throw new HistoryError('HISTORY_VERSION', {
      what: `the history has format ${format}; this version reads formats to ${HISTORY_FORMAT}`,
      why: 'a newer format may mean something else by the same bytes',
      fix: `read it with Tablewalk ${tablewalk} or later, which wrote it`,
      at,
    });
  const mistake = schemasMistake(value['facts']);
  if (mistake !== undefined) throw damaged(mistake, at);
  if (
    !Number.isSafeInteger(value['seed']) ||
    !isRecord(value['plugins']) ||
    typeof value['codec'] !== 'string'
  )
    throw damaged('the header lacks seed, plugins or codec', at);
  return value as unknown as HistoryHeader;
}

/** The record after the last chunk. */
export const closingRecord = (closing: HistoryClosing): McapTypes.Metadata =>
  jsonMetadata(CLOSING_METADATA, closing);

export function checkedClosing(value: unknown, at: string): HistoryClosing {
  if (!isRecord(value) || !Number.isSafeInteger(value['facts']) || !Number.isSafeInteger(value['stimuli']))
    throw damaged('the closing record does not count facts and stimuli', at);
  return value as unknown as HistoryClosing;
}
