import { crc32 } from '@foxglove/crc';
import { McapRecordBuilder, Opcode } from '@mcap/core';
import type { McapTypes } from '@mcap/core';
import { CHANNEL_NAMES, channelRecord, FOOTER_BYTES } from './format.ts';

/**
 * Everything behind the DataEnd record of a complete file: channels, statistics and indexes, the
 * offsets of these groups, the footer, the last magic. `start` is where it will lie.
 */
export function encodeSummary(
  start: number,
  schemaCount: number,
  chunks: readonly McapTypes.ChunkIndex[],
  metadata: readonly McapTypes.MetadataIndex[],
): Uint8Array {
  const out = new McapRecordBuilder();
  const offsets: McapTypes.SummaryOffset[] = [];
  const group = (groupOpcode: Opcode, write: () => void): void => {
    const from = out.length;
    write();
    if (out.length === from) return;
    offsets.push({ groupOpcode, groupStart: BigInt(start + from), groupLength: BigInt(out.length - from) });
  };
  group(Opcode.CHANNEL, () => {
    for (const name of CHANNEL_NAMES) out.writeChannel(channelRecord(name));
  });
  group(Opcode.STATISTICS, () => out.writeStatistics(statisticsOf(schemaCount, chunks, metadata.length)));
  group(Opcode.METADATA_INDEX, () => {
    for (const index of metadata) out.writeMetadataIndex(index);
  });
  group(Opcode.CHUNK_INDEX, () => {
    for (const index of chunks) out.writeChunkIndex(index);
  });
  const summaryOffsetStart = BigInt(start + out.length);
  for (const offset of offsets) out.writeSummaryOffset(offset);

  // The CRC covers the footer up to itself: written once without it, to be counted, and then in full.
  const body = out.buffer;
  const footer = { summaryStart: BigInt(start), summaryOffsetStart, summaryCrc: 0 };
  out.writeFooter(footer);
  const summaryCrc = crc32(out.buffer.subarray(0, body.length + FOOTER_BYTES - 4));
  const whole = new McapRecordBuilder();
  whole.writeFooter({ ...footer, summaryCrc });
  whole.writeMagic();
  const bytes = new Uint8Array(body.length + whole.length);
  bytes.set(body);
  bytes.set(whole.buffer, body.length);
  return bytes;
}

/** Each chunk has one message. */
function statisticsOf(
  schemaCount: number,
  chunks: readonly McapTypes.ChunkIndex[],
  metadataCount: number,
): McapTypes.Statistics {
  const channelMessageCounts = new Map<number, bigint>();
  let [first, last] = [chunks[0]?.messageStartTime ?? 0n, 0n];
  for (const chunk of chunks) {
    for (const id of chunk.messageIndexOffsets.keys())
      channelMessageCounts.set(id, (channelMessageCounts.get(id) ?? 0n) + 1n);
    if (chunk.messageStartTime < first) first = chunk.messageStartTime;
    if (chunk.messageEndTime > last) last = chunk.messageEndTime;
  }
  return {
    messageCount: BigInt(chunks.length),
    schemaCount,
    channelCount: CHANNEL_NAMES.length,
    attachmentCount: 0,
    metadataCount,
    chunkCount: chunks.length,
    messageStartTime: first,
    messageEndTime: last,
    channelMessageCounts,
  };
}
