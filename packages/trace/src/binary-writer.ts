import { assert } from '@tablewalk/base';
import type { AccessBatch } from '@tablewalk/contracts';
import { crc32Final, crc32Init, crc32Update } from '@foxglove/crc';
import { ReferenceEncoder } from '@tablewalk/references';
import type { Codec } from '@tablewalk/references';
import {
  BINARY_TRACE_FORMAT,
  BLOCK_REFERENCES_MAX,
  CRC_AT,
  FRAME,
  FRAME_BYTES,
  MAGIC,
} from './binary-layout.ts';
import type { BinaryTraceClose, BinaryTraceHead } from './binary-layout.ts';

/** Writes a binary trace (binary-layout.ts), front to back; a batch becomes a block. */
export class BinaryTraceWriter {
  bytes = 0;
  references = 0;
  private blocks = 0;
  private end = 0;
  private readonly encoder = new ReferenceEncoder();

  /** `sink` gets the bytes, which are its to keep; `source` says what the trace was made from. */
  constructor(
    private readonly sink: (bytes: Uint8Array) => void,
    private readonly codec: Codec,
    source: string,
  ) {
    const head: BinaryTraceHead = {
      format: BINARY_TRACE_FORMAT,
      codec: codec.name,
      source: source.slice(0, 4096),
    };
    this.write(MAGIC.slice());
    this.frame(FRAME.head, json(head));
  }

  batch(batch: AccessBatch): void {
    const { count } = batch;
    assert(count > 0 && count <= BLOCK_REFERENCES_MAX, `a block of ${count} references`);
    const block = this.encoder.encode(batch);
    this.frame(FRAME.block, this.codec.compress(block), block.length, count);
    this.blocks += 1;
    this.references += count;
    for (let i = 0; i < count; i++) {
      const end = (batch.vaHi[i] as number) * 2 ** 32 + (batch.vaLo[i] as number) + (batch.size[i] as number);
      if (end > this.end) this.end = end;
    }
  }

  close(): BinaryTraceClose {
    const { references, blocks } = this;
    let addressBits = 0;
    while (2 ** addressBits < this.end) addressBits += 1;
    const close: BinaryTraceClose = { references, blocks, addressBits };
    this.frame(FRAME.close, json(close));
    return close;
  }

  private frame(type: number, payload: Uint8Array, plainBytes = payload.length, references = 0): void {
    const head = new Uint8Array(FRAME_BYTES);
    const view = new DataView(head.buffer);
    view.setUint8(0, type);
    view.setUint32(1, payload.length, true);
    view.setUint32(5, plainBytes, true);
    view.setUint32(9, references, true);
    view.setUint32(CRC_AT, frameCrc(head, payload), true);
    this.write(head);
    this.write(payload);
  }

  private write(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.sink(bytes);
  }
}

/** CRC-32 of a frame, less the four bytes that it is kept in. */
export const frameCrc = (head: Uint8Array, payload: Uint8Array): number =>
  crc32Final(crc32Update(crc32Update(crc32Init(), head.subarray(0, CRC_AT)), payload));

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
