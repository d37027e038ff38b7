import { Opcode } from '@mcap/core';
import { damaged } from './bytes.ts';
import { decodeChunk, firstRecord } from './chunk.ts';
import type { ChunkPlace } from './chunk.ts';
import type { Codec } from './codec.ts';
import {
  CHANNEL_NAMES,
  CHUNK_BYTES_MAX,
  DATA_END_BYTES,
  FOOTER_BYTES,
  FRAME_BYTES,
  MAGIC,
} from './format.ts';
import type { ChannelName, HistoryClosing } from './format.ts';
import { append, channelOf, readClosing } from './layout.ts';
import type { Layout } from './layout.ts';
import type { Preamble } from './preamble.ts';
import { frameAt, isWhole, readExactly, viewOf } from './source.ts';
import type { Frame, HistorySource } from './source.ts';

/** A message index with one entry, after its frame: channel, length of the array, time and offset. */
const MESSAGE_INDEX_BYTES = FRAME_BYTES + 2 + 4 + 16;
/** A compressed chunk is at most so much longer than its content (zstd adds less than one byte in 128). */
const CHUNK_RECORD_BYTES_MAX = CHUNK_BYTES_MAX + CHUNK_BYTES_MAX / 64;

/**
 * The layout of a file that was cut short, record by record from the front. Only the frames and the
 * heads of chunks are read. What is there must be the beginning of a good file: then the missing rest
 * is a truncation; anything else is damage.
 */
export function scannedLayout(source: HistorySource, preamble: Preamble, codec: Codec): Layout {
  const chunks: Record<ChannelName, ChunkPlace[]> = { facts: [], stimuli: [], checkpoints: [], arenas: [] };
  let closing: HistoryClosing | undefined;
  let offset = preamble.end;
  for (let frame = wholeFrame(source, offset); frame !== undefined; frame = wholeFrame(source, offset)) {
    const at = `byte ${offset}`;
    if (frame.opcode === Opcode.CHUNK && closing === undefined) {
      const place = placeOf(source, frame, codec, at);
      append(chunks, place, at);
      offset += place.length + place.indexLength;
      if (place.indexLength === 0) break;
    } else if (frame.opcode === Opcode.METADATA && closing === undefined) {
      closing = readClosing(source, offset, frame.length);
      offset += frame.length;
    } else if (frame.opcode === Opcode.DATA_END && frame.length === DATA_END_BYTES && closing !== undefined) {
      checkSummaryIsCut(source, offset + frame.length);
      return { chunks, closing, dataEnd: offset, end: offset + frame.length };
    } else {
      throw damaged(`a record of kind ${frame.opcode} and ${frame.length} bytes lies where it cannot`, at);
    }
  }
  return closing === undefined ? { chunks, end: offset } : { chunks, closing, end: offset };
}

/** The record at `offset`, or undefined where the file ends before the record does. */
function wholeFrame(source: HistorySource, offset: number): Frame | undefined {
  const frame = frameAt(source, offset);
  if (frame === undefined || isWhole(source, frame)) return frame;
  // A record that never was so long is no truncation.
  if (frame.length > CHUNK_RECORD_BYTES_MAX)
    throw damaged(`a record of kind ${frame.opcode} claims ${frame.length} bytes`, `byte ${offset}`);
  return undefined;
}

function placeOf(source: HistorySource, frame: Frame, codec: Codec, at: string): ChunkPlace {
  const { offset, length } = frame;
  if (length < FRAME_BYTES + 8) throw damaged(`a chunk of ${length} bytes`, at);
  const head = viewOf(readExactly(source, offset + FRAME_BYTES, 8));
  const first = head.getUint32(0, true) + head.getUint32(4, true) * 2 ** 32;
  const index = wholeFrame(source, offset + length);
  if (index === undefined) {
    // The last chunk may be whole and its message index not: only the content can name the channel.
    for (const channel of CHANNEL_NAMES) {
      const place: ChunkPlace = { channel, first, offset, length, indexLength: 0 };
      if (isReadable(source, place, codec)) return place;
    }
    throw damaged('the last chunk cannot be read', at);
  }
  if (index.opcode !== Opcode.MESSAGE_INDEX || index.length !== MESSAGE_INDEX_BYTES)
    throw damaged('no message index follows a chunk', `byte ${index.offset}`);
  const record = firstRecord(readExactly(source, index.offset, index.length), `byte ${index.offset}`);
  if (record.type !== 'MessageIndex')
    throw damaged('no message index follows a chunk', `byte ${index.offset}`);
  return { channel: channelOf(record.channelId, at), first, offset, length, indexLength: index.length };
}

function isReadable(source: HistorySource, place: ChunkPlace, codec: Codec): boolean {
  try {
    decodeChunk(readExactly(source, place.offset, place.length), place, codec);
    return true;
  } catch {
    return false;
  }
}

/** All data are there. What follows may lack its end, but a footer must not be whole. */
function checkSummaryIsCut(source: HistorySource, start: number): void {
  const kinds: ReadonlySet<number> = new Set([
    Opcode.CHANNEL,
    Opcode.STATISTICS,
    Opcode.METADATA_INDEX,
    Opcode.CHUNK_INDEX,
    Opcode.SUMMARY_OFFSET,
  ]);
  let offset = start;
  for (let frame = wholeFrame(source, offset); frame !== undefined; frame = wholeFrame(source, offset)) {
    if (frame.opcode === Opcode.FOOTER && frame.length === FOOTER_BYTES) {
      const rest = readExactly(source, offset + frame.length, source.size - offset - frame.length);
      if (rest.length < MAGIC.length && rest.every((byte, i) => byte === MAGIC[i])) return;
      throw damaged('the footer is followed by other bytes than an MCAP file ends with', `byte ${offset}`);
    }
    if (!kinds.has(frame.opcode))
      throw damaged(`a record of kind ${frame.opcode} lies within the summary`, `byte ${offset}`);
    offset += frame.length;
  }
}
