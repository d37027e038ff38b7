import { McapStreamReader, Opcode } from '@mcap/core';
import type { McapTypes } from '@mcap/core';
import { crc32Final, crc32Init, crc32Update } from '@foxglove/crc';
import { damaged, sameBytes } from './bytes.ts';
import { firstRecord } from './chunk.ts';
import type { ChunkPlace } from './chunk.ts';
import {
  CHANNEL_NAMES,
  channelId,
  checkedClosing,
  CLOSING_METADATA,
  DATA_END_BYTES,
  FOOTER_BYTES,
  MAGIC,
  readJsonMetadata,
  records,
} from './format.ts';
import type { ChannelName, HistoryClosing } from './format.ts';
import type { Preamble } from './preamble.ts';
import { frameAt, readExactly, viewOf } from './source.ts';
import type { HistorySource } from './source.ts';

/** Where everything lies that follows the preamble. */
export interface Layout {
  readonly chunks: Readonly<Record<ChannelName, readonly ChunkPlace[]>>;
  readonly closing?: HistoryClosing;
  /** First byte of the DataEnd record, when the file has one. */
  readonly dataEnd?: number;
  /** First byte that belongs to nothing whole. */
  readonly end: number;
}

/** The layout of a complete file, by the index in its summary. */
export function indexedLayout(source: HistorySource, preamble: Preamble): Layout {
  const summaryStart = summaryStartOf(source, preamble);
  const dataEnd = summaryStart - DATA_END_BYTES;
  const chunkIndexes: McapTypes.ChunkIndex[] = [];
  const metadata = new Map<string, McapTypes.MetadataIndex>();
  let statistics: McapTypes.Statistics | undefined;
  for (const record of summaryRecords(source, summaryStart)) {
    if (record.type === 'ChunkIndex') chunkIndexes.push(record);
    else if (record.type === 'MetadataIndex') metadata.set(record.name, record);
    else if (record.type === 'Statistics') statistics = record;
  }
  const at = `byte ${summaryStart}, summary`;
  if (statistics?.chunkCount !== chunkIndexes.length) throw damaged('the statistics count other chunks', at);

  const chunks: Record<ChannelName, ChunkPlace[]> = { facts: [], stimuli: [], checkpoints: [], arenas: [] };
  let next = preamble.end;
  for (const index of chunkIndexes) {
    const place = placeOf(index, at);
    if (place.offset !== next) throw damaged(`a chunk is indexed at ${place.offset}, not at ${next}`, at);
    append(chunks, place, at);
    next += place.length + place.indexLength;
  }
  const closing = metadata.get(CLOSING_METADATA);
  if (closing === undefined) throw damaged('the summary does not name the closing record', at);
  if (Number(closing.offset) !== next || Number(closing.offset + closing.length) !== dataEnd)
    throw damaged('the closing record does not lie between the last chunk and the end of the data', at);
  return { chunks, closing: readClosing(source, next, dataEnd - next), dataEnd, end: source.size };
}

/** Checks the footer and, by its CRC, the summary. */
function summaryStartOf(source: HistorySource, preamble: Preamble): number {
  const footerAt = source.size - MAGIC.length - FOOTER_BYTES;
  const at = `byte ${footerAt}, footer`;
  const frame = frameAt(source, footerAt);
  if (frame?.opcode !== Opcode.FOOTER || frame.length !== FOOTER_BYTES)
    throw damaged('the record before the last magic is no footer', at);
  const footer = viewOf(readExactly(source, footerAt, FOOTER_BYTES));
  const start = footer.getUint32(9, true) + footer.getUint32(13, true) * 2 ** 32;
  // Without this look, a wrong start could have us read a whole large file for its CRC.
  if (start - DATA_END_BYTES < preamble.end || start > footerAt)
    throw damaged(`the summary cannot begin at byte ${start}`, at);
  const before = frameAt(source, start - DATA_END_BYTES);
  if (before?.opcode !== Opcode.DATA_END || before.length !== DATA_END_BYTES)
    throw damaged(`no DataEnd record lies before the summary at byte ${start}`, at);
  if (crcOf(source, start, footerAt + FOOTER_BYTES - 4) !== footer.getUint32(FOOTER_BYTES - 4, true))
    throw damaged('the summary does not match its CRC', at);
  return start;
}

/** CRC-32 of the bytes from `start` to before `end`, a piece at a time. */
export function crcOf(source: HistorySource, start: number, end: number): number {
  let crc = crc32Init();
  for (let offset = start; offset < end; offset += 2 ** 20)
    crc = crc32Update(crc, readExactly(source, offset, Math.min(2 ** 20, end - offset)));
  return crc32Final(crc);
}

function* summaryRecords(source: HistorySource, start: number): Generator<McapTypes.TypedMcapRecord> {
  const reader = new McapStreamReader({ noMagicPrefix: true });
  try {
    reader.append(readExactly(source, start, source.size - start));
    for (let record = reader.nextRecord(); record !== undefined; record = reader.nextRecord()) yield record;
  } catch (error) {
    throw damaged(`the summary is malformed (${String(error)})`, `byte ${start}`);
  }
  if (!reader.done()) throw damaged('the summary does not end with the footer', `byte ${start}`);
}

function placeOf(index: McapTypes.ChunkIndex, at: string): ChunkPlace {
  const offset = Number(index.chunkStartOffset);
  const length = Number(index.chunkLength);
  const [id, indexOffset] = [...index.messageIndexOffsets][0] ?? [0, 0n];
  if (index.messageIndexOffsets.size !== 1 || Number(indexOffset) !== offset + length)
    throw damaged(`the chunk at byte ${offset} is not indexed by one message index behind it`, at);
  const indexLength = Number(index.messageIndexLength);
  return { channel: channelOf(id, at), first: Number(index.messageStartTime), offset, length, indexLength };
}

export function channelOf(id: number, at: string): ChannelName {
  const channel = CHANNEL_NAMES.find((name) => channelId(name) === id);
  if (channel === undefined) throw damaged(`no channel has the number ${id}`, at);
  return channel;
}

/** Numbers of a channel grow; facts and stimuli begin with 0. */
export function append(chunks: Record<ChannelName, ChunkPlace[]>, place: ChunkPlace, at: string): void {
  const list = chunks[place.channel];
  const before = list.at(-1);
  const fits =
    Number.isSafeInteger(place.first) &&
    (before !== undefined
      ? place.first > before.first
      : place.channel === 'checkpoints' || place.channel === 'arenas' || place.first === 0);
  if (!fits)
    throw damaged(`${place.channel} from ${place.first} follow those from ${before?.first ?? 'nowhere'}`, at);
  list.push(place);
}

export function readClosing(source: HistorySource, offset: number, length: number): HistoryClosing {
  const at = `byte ${offset}, closing record`;
  const bytes = readExactly(source, offset, length);
  const record = firstRecord(bytes, at);
  if (record.type !== 'Metadata' || record.name !== CLOSING_METADATA)
    throw damaged(`a ${record.type} record lies where the closing record should`, at);
  const closing = checkedClosing(readJsonMetadata(record, offset), at);
  if (
    !sameBytes(
      bytes,
      records((out) => out.writeMetadata(record)),
    )
  )
    throw damaged('the closing record has a length that is not its own', at);
  return closing;
}
