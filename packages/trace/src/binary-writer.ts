import { assert } from '@tablewalk/base';
import type { AccessBatch } from '@tablewalk/contracts';
import { ReferenceEncoder } from '@tablewalk/references';
import type { Codec } from '@tablewalk/references';
import {
  BINARY_TRACE_FORMAT,
  BLOCK_REFERENCES_MAX,
  CRC_AT,
  FRAME,
  FRAME_BYTES,
  frameCrc,
  LINK_BYTES,
  MAGIC,
} from './binary-layout.ts';
import type { BinaryTraceClose, BinaryTraceHead } from './binary-layout.ts';

/** Writes a binary trace (binary-layout.ts), front to back; a batch becomes a block. */
export class BinaryTraceWriter {
  bytes = 0;
  references = 0;
  private frames = 0;
  private lastCrc = 0;
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
    this.references += count;
    for (let i = 0; i < count; i++) {
      const end = (batch.vaHi[i] as number) * 2 ** 32 + (batch.vaLo[i] as number) + (batch.size[i] as number);
      if (end > this.end) this.end = end;
    }
  }

  close(): BinaryTraceClose {
    const { references } = this;
    const blocks = this.frames - 1;
    let addressBits = 0;
    while (2 ** addressBits < this.end) addressBits += 1;
    const close: BinaryTraceClose = { references, blocks, addressBits };
    this.frame(FRAME.close, json(close));
    return close;
  }

  private frame(type: number, content: Uint8Array, plainBytes = content.length, references = 0): void {
    const linkBytes = type === FRAME.head ? 0 : LINK_BYTES;
    const frame = new Uint8Array(FRAME_BYTES + linkBytes + content.length);
    const view = new DataView(frame.buffer);
    view.setUint8(0, type);
    view.setUint32(1, linkBytes + content.length, true);
    view.setUint32(5, plainBytes, true);
    view.setUint32(9, references, true);
    if (linkBytes > 0) {
      view.setUint32(FRAME_BYTES, this.frames, true);
      view.setUint32(FRAME_BYTES + 4, this.lastCrc, true);
    }
    frame.set(content, FRAME_BYTES + linkBytes);
    this.lastCrc = frameCrc(frame);
    view.setUint32(CRC_AT, this.lastCrc, true);
    this.frames += 1;
    this.write(frame);
  }

  private write(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.sink(bytes);
  }
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
