import { assert } from '@tablewalk/base';
import { McapChunkBuilder, McapStreamReader } from '@mcap/core';
import type { McapTypes } from '@mcap/core';
import { crc32 } from '@foxglove/crc';
import { damaged, sameBytes } from './bytes.ts';
import type { Codec } from './codec.ts';
import { channelId, channelRecord, CHUNK_BYTES_MAX, FRAME_BYTES, records } from './format.ts';
import type { ChannelName } from './format.ts';

/** Where a chunk lies, and what it holds: one message, numbered `first` (a seq, or a stimulus). */
export interface ChunkPlace {
  readonly channel: ChannelName;
  readonly first: number;
  readonly offset: number;
  readonly length: number;
  /** Bytes of the message index that follows; 0 when the file ends before it does. */
  readonly indexLength: number;
}

/** Bytes of a message before its data: frame, channel, sequence, two times. */
const MESSAGE_HEAD_BYTES = FRAME_BYTES + 2 + 4 + 8 + 8;
export const MESSAGE_BYTES_MAX = CHUNK_BYTES_MAX - MESSAGE_HEAD_BYTES;

/** A chunk with one message, and the message index behind it. `lengths` are those of the two. */
export function encodeChunk(
  channel: ChannelName,
  first: number,
  data: Uint8Array,
  codec: Codec,
): { bytes: Uint8Array; length: number; entry: McapTypes.ChunkIndex } {
  const builder = new McapChunkBuilder({ useMessageIndex: true });
  const logTime = BigInt(first);
  builder.addMessage({
    channelId: channelId(channel),
    sequence: first >>> 0,
    logTime,
    publishTime: logTime,
    data,
  });
  const content = builder.buffer;
  assert(content.length <= CHUNK_BYTES_MAX, `a chunk of ${channel} would have ${content.length} bytes`);
  const chunk: McapTypes.Chunk = {
    messageStartTime: logTime,
    messageEndTime: logTime,
    uncompressedSize: BigInt(content.length),
    uncompressedCrc: crc32(content),
    compression: codec.name,
    records: codec.compress(content),
  };
  let length = 0n;
  let indexLength = 0n;
  const bytes = records((out) => {
    length = out.writeChunk(chunk);
    for (const index of builder.indices) indexLength += out.writeMessageIndex(index);
  });
  const entry: McapTypes.ChunkIndex = {
    messageStartTime: logTime,
    messageEndTime: logTime,
    chunkStartOffset: 0n,
    chunkLength: length,
    messageIndexOffsets: new Map([[channelId(channel), length]]),
    messageIndexLength: indexLength,
    compression: codec.name,
    compressedSize: BigInt(chunk.records.length),
    uncompressedSize: chunk.uncompressedSize,
  };
  return { bytes, length: Number(length), entry };
}

/**
 * The data of a chunk's one message. `bytes` are the chunk record and its message index, as `place`
 * says. The content is held against its CRC, and every field outside of it against the content.
 */
export function decodeChunk(bytes: Uint8Array, place: ChunkPlace, codec: Codec): Uint8Array {
  const at = `byte ${place.offset}, chunk of ${place.channel} from ${place.first}`;
  const chunk = firstRecord(bytes.subarray(0, place.length), at);
  if (chunk.type !== 'Chunk') throw damaged(`a ${chunk.type} record lies where a chunk should`, at);
  const content = decompressed(chunk, codec, at);
  if (crc32(content) !== chunk.uncompressedCrc)
    throw damaged('the content of a chunk does not match its CRC', at);
  const message = firstRecord(
    content,
    at,
    records((out) => out.writeChannel(channelRecord(place.channel))),
  );
  if (message.type !== 'Message') throw damaged(`a chunk holds a ${message.type} record`, at);

  const time = BigInt(place.first);
  const fits =
    message.channelId === channelId(place.channel) &&
    message.sequence === place.first >>> 0 &&
    message.logTime === time &&
    message.publishTime === time &&
    message.data.length + MESSAGE_HEAD_BYTES === content.length &&
    chunk.messageStartTime === time &&
    chunk.messageEndTime === time;
  if (!fits) throw damaged('a chunk holds another message than its head and the index say', at);
  const head = records((out) => out.writeChunk({ ...chunk, records: new Uint8Array(0) })).length;
  if (head + chunk.records.length !== place.length)
    throw damaged('a chunk has bytes that belong to nothing', at);
  if (place.indexLength > 0) checkMessageIndex(bytes.subarray(place.length), place, at);
  return message.data;
}

function decompressed(chunk: McapTypes.Chunk, codec: Codec, at: string): Uint8Array {
  if (chunk.uncompressedSize > BigInt(CHUNK_BYTES_MAX))
    throw damaged(`a chunk claims ${chunk.uncompressedSize} bytes`, at);
  const size = Number(chunk.uncompressedSize);
  if (chunk.compression !== '' && chunk.compression !== codec.name)
    throw damaged(`a chunk is compressed by ${JSON.stringify(chunk.compression)}`, at);
  let content: Uint8Array;
  try {
    content = chunk.compression === '' ? chunk.records : codec.decompress(chunk.records, size);
  } catch (error) {
    throw damaged(`a chunk cannot be decompressed (${String(error)})`, at);
  }
  if (content.length !== size) throw damaged(`a chunk claims ${size} bytes and has ${content.length}`, at);
  return content;
}

/** It has no CRC, but there is only one way to write it. */
function checkMessageIndex(bytes: Uint8Array, place: ChunkPlace, at: string): void {
  const index = {
    channelId: channelId(place.channel),
    records: [[BigInt(place.first), 0n]] as [bigint, bigint][],
  };
  const expected = records((out) => out.writeMessageIndex(index));
  if (!sameBytes(bytes, expected)) throw damaged('the message index behind a chunk does not describe it', at);
}

/** The first record of bytes that begin with one; `before` is read first (a channel, for its messages). */
export function firstRecord(bytes: Uint8Array, at: string, before?: Uint8Array): McapTypes.TypedMcapRecord {
  const reader = new McapStreamReader({ noMagicPrefix: true, includeChunks: true, validateCrcs: false });
  try {
    if (before !== undefined) {
      reader.append(before);
      reader.nextRecord();
    }
    reader.append(bytes);
    const record = reader.nextRecord();
    if (record !== undefined) return record;
  } catch (error) {
    throw damaged(`a record is malformed (${error instanceof Error ? error.message : String(error)})`, at);
  }
  throw damaged('a record does not fit into the bytes that it has', at);
}
