import { TraceError } from '@tablewalk/base';
import { AccessKind, accessBatch, vaOfAccess } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { boundsOf, decodeReferences, openReferenceBlock } from '@tablewalk/references';
import type { Codec, ReferenceBounds } from '@tablewalk/references';
import { BatchFiller } from './batch-filler.ts';
import { BINARY_TRACE_FORMAT, BLOCK_REFERENCES_MAX, CRC_AT, damagedTrace, FRAME } from './binary-layout.ts';
import { FRAME_BYTES, frameCrc, LINK_BYTES, LINKED_FORMAT, MAGIC, payloadBytesMax } from './binary-layout.ts';
import type { BinaryTraceClose, BinaryTraceHead } from './binary-layout.ts';
import type { Rebase } from './rebase.ts';
import type { TraceReader, TraceReaderOptions } from './trace-reader.ts';

/**
 * Reads a binary trace (binary-layout.ts). It believes no length before it has looked at it, and nothing
 * that a frame holds before the frame's CRC agreed.
 */
export class BinaryTraceReader implements TraceReader {
  readonly badLines = 0;
  readonly firstBadLine = undefined;
  head: BinaryTraceHead | undefined;
  close: BinaryTraceClose | undefined;

  private readonly filler: BatchFiller;
  /** How many have been taken, and the CRC of the last. */
  private frames = 0;
  private lastCrc = 0;
  /** References of the file, moved or not. */
  private stored = 0;
  /** Bytes of the file before `kept`. */
  private passed = 0;
  /** The beginning of a frame whose end has not come yet. */
  private kept = new Uint8Array(2 ** 16);
  private keptBytes = 0;
  private scratch: AccessBatch | undefined;
  /** Greatest high half that the machine has; -1 where it does not have all of the low one. */
  private readonly hiMax: number;

  constructor(
    private readonly codec: Codec,
    private readonly options: TraceReaderOptions = {},
  ) {
    this.filler = new BatchFiller(options, 'reference', () => this.filler.references + 1);
    const { vaEnd } = this.filler;
    this.hiMax = vaEnd >= 2 ** 32 ? vaEnd / 2 ** 32 - 1 : -1;
  }

  get references(): number {
    return this.filler.references;
  }

  push(chunk: Uint8Array): AccessBatch[] {
    let at = this.keptBytes > 0 ? this.complete(chunk) : 0;
    while (this.keptBytes === 0 && at < chunk.length) {
      const wanted = this.wanted(chunk, at, chunk.length - at);
      const end = Math.min(chunk.length, at + wanted);
      if (end - at < wanted) this.keep(chunk.subarray(at, end));
      else this.take(chunk.subarray(at, end));
      at = end;
    }
    return this.filler.taken();
  }

  end(): AccessBatch[] {
    if (this.close === undefined)
      throw new TraceError('TRACE_TRUNCATED', {
        what: `the trace was cut: it ends after ${this.stored} references, and is not closed`,
        why: 'what follows is missing, and a run would count less than the trace holds',
        fix: 'restore the file from a copy, or import the trace again',
        at: this.place(),
      });
    return this.filler.rest();
  }

  /** Bytes of the frame (or magic) that begins at `at`, as far as the `known` ones tell. */
  private wanted(bytes: Uint8Array, at: number, known: number): number {
    if (this.passed === 0) return MAGIC.length;
    if (this.close !== undefined) throw this.damaged('bytes follow its close');
    if (known < FRAME_BYTES) return FRAME_BYTES;
    const type = bytes[at] as number;
    const length = viewOf(bytes).getUint32(at + 1, true);
    if ((this.head === undefined) !== (type === FRAME.head) || type < FRAME.head || type > FRAME.close)
      throw this.damaged(
        `a frame of type ${type} lies where ${this.head === undefined ? 'its head' : 'a block'} should`,
      );
    if (length > payloadBytesMax(type)) throw this.damaged(`a frame claims ${length} bytes`);
    return FRAME_BYTES + length;
  }

  private keep(bytes: Uint8Array): void {
    const length = this.keptBytes + bytes.length;
    if (length > this.kept.length) {
      const grown = new Uint8Array(length * 2);
      grown.set(this.kept.subarray(0, this.keptBytes));
      this.kept = grown;
    }
    this.kept.set(bytes, this.keptBytes);
    this.keptBytes = length;
  }

  /** Completes the frame that was begun and takes it, or keeps all; answers how many bytes that took. */
  private complete(chunk: Uint8Array): number {
    for (let at = 0; ;) {
      const wanted = this.wanted(this.kept, 0, this.keptBytes);
      const end = Math.min(chunk.length, at + wanted - this.keptBytes);
      this.keep(chunk.subarray(at, end));
      at = end;
      if (this.keptBytes < wanted) return at;
      if (wanted === this.wanted(this.kept, 0, wanted)) {
        this.keptBytes = 0;
        this.take(this.kept.subarray(0, wanted));
        return at;
      }
    }
  }

  /** Takes the magic or a whole frame. */
  private take(bytes: Uint8Array): void {
    if (this.passed === 0) {
      if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw this.damaged('the file is no binary trace');
    } else this.takeFrame(bytes);
    this.passed += bytes.length;
  }

  private takeFrame(bytes: Uint8Array): void {
    const view = viewOf(bytes);
    const crc = view.getUint32(CRC_AT, true);
    if (crc !== frameCrc(bytes)) throw this.damaged(`${this.called(bytes)} does not match its CRC`);
    const from = FRAME_BYTES + this.takeLink(bytes, view);
    if (bytes[0] === FRAME.head) this.takeHead(bytes.subarray(from));
    else if (bytes[0] === FRAME.block)
      this.takeBlock(bytes.subarray(from), view.getUint32(5, true), view.getUint32(9, true));
    else this.takeClose(bytes.subarray(from));
    this.frames += 1;
    this.lastCrc = crc;
  }

  /** Does the frame belong here? Answers how many bytes said so. */
  private takeLink(bytes: Uint8Array, view: DataView): number {
    if (this.head === undefined || this.head.format < LINKED_FORMAT) return 0;
    if (bytes.length < FRAME_BYTES + LINK_BYTES) throw this.damaged(`${this.called(bytes)} has no link`);
    const number = view.getUint32(FRAME_BYTES, true);
    if (number !== this.frames)
      throw this.damaged(
        `${this.called(bytes, number)} lies where block ${this.frames} should: ` +
          'blocks are missing, twice there, or in another order',
      );
    if (view.getUint32(FRAME_BYTES + 4, true) !== this.lastCrc)
      throw this.damaged(
        `${this.called(bytes)} does not follow what was written before it: it is of another file`,
      );
    return LINK_BYTES;
  }

  private called(bytes: Uint8Array, number = this.frames): string {
    return bytes[0] === FRAME.block ? `block ${number}` : bytes[0] === FRAME.head ? 'the head' : 'the close';
  }

  private takeHead(payload: Uint8Array): void {
    const head = this.parsed(payload) as BinaryTraceHead;
    const known = Number.isInteger(head.format) && head.format >= 1;
    if (!known || typeof head.codec !== 'string' || typeof head.source !== 'string')
      throw this.damaged('the head names no format, codec and source');
    if (head.format > BINARY_TRACE_FORMAT || (head.codec !== '' && head.codec !== this.codec.name))
      throw new TraceError('TRACE_VERSION', {
        what: `the trace has format ${head.format}, compressed by "${head.codec}"`,
        why: `this version reads formats to ${BINARY_TRACE_FORMAT}, compressed by "${this.codec.name}" or not at all`,
        fix: 'read it with a later version of Tablewalk',
        at: this.place(),
      });
    this.head = head;
  }

  private takeBlock(payload: Uint8Array, plainBytes: number, references: number): void {
    if (references > BLOCK_REFERENCES_MAX || plainBytes > payloadBytesMax(FRAME.block))
      throw this.damaged(`a block claims ${references} references and ${plainBytes} bytes`);
    const fail = (what: string): never => {
      throw this.damaged(what);
    };
    const block = openReferenceBlock(this.decompressed(payload, plainBytes), fail);
    if (block.count !== references) fail(`a block of ${references} references has ${block.count}`);
    const { filler } = this;
    const bounds = boundsOf(block);
    // Blocks can say more than traces mean.
    if (bounds.kindMax > AccessKind.modify || bounds.sizeMin === 0)
      fail(`block ${this.frames} has kinds to ${bounds.kindMax} and sizes from ${bounds.sizeMin}`);
    const whole = filler.batch.count + references <= filler.capacity;
    if (whole) {
      const from = filler.batch.count;
      decodeReferences(block, filler.batch, fail);
      this.settle(filler.batch, from, bounds);
      if (filler.batch.count === filler.capacity) filler.turnOver();
    } else {
      const scratch = (this.scratch ??= accessBatch(BLOCK_REFERENCES_MAX));
      scratch.count = 0;
      decodeReferences(block, scratch, fail);
      for (let i = 0; i < references; i++)
        filler.append(scratch.kind[i] as AccessKind, vaOfAccess(scratch, i), scratch.size[i] as number);
    }
    this.stored += references;
  }

  private decompressed(payload: Uint8Array, plainBytes: number): Uint8Array {
    if (this.head?.codec === '') return payload;
    try {
      return this.codec.decompress(payload, plainBytes);
    } catch (error) {
      throw this.damaged(`a block cannot be decompressed (${String(error)})`);
    }
  }

  /** Does to references that were decoded into the batch what `append` would have done. */
  private settle(batch: AccessBatch, from: number, bounds: ReferenceBounds): void {
    const { filler, options } = this;
    const { kind: kinds } = batch;
    if (options.rebase === undefined && this.allFit(batch, from, bounds))
      filler.references += batch.count - from;
    else this.settleEach(batch, from, options.rebase);
    if (options.accessesAsLoads === true)
      for (let i = from; i < batch.count; i++) kinds[i] = filler.kindOf[kinds[i] as number] as number;
  }

  /** Is it plain that all addresses fit? In its last 4 GiB the machine may end within a reference. */
  private allFit({ vaLo, count }: AccessBatch, from: number, { high }: ReferenceBounds): boolean {
    if (high !== this.hiMax) return high < this.hiMax;
    let nearEnd = 0;
    // 1 where all of the upper half is set.
    for (let i = from; i < count; i++) nearEnd |= (((vaLo[i] as number) >>> 16) + 1) >>> 16;
    return nearEnd === 0;
  }

  /** What `append` would do, for references that have to be looked at one by one. */
  private settleEach(batch: AccessBatch, from: number, rebase: Rebase | undefined): void {
    const { filler, hiMax } = this;
    const { vaLo, vaHi, size: sizes, count } = batch;
    const before = filler.references - from;
    // From here on a reference may leave the 4 GiB that its address lies in.
    const nearEnd = hiMax < 0 ? 0 : 0xffff0000;
    let moved = 0;
    for (let i = from; i < count; i++) {
      const lo = vaLo[i] as number;
      const hi = vaHi[i] as number;
      const size = sizes[i] as number;
      let place = -1;
      if (lo < nearEnd)
        if (rebase !== undefined) place = rebase.knownPlace(hi, lo, size);
        else if (hi <= hiMax) continue;
      if (place < 0) {
        filler.references = before + i;
        const va = filler.placed(hi * 2 ** 32 + lo, size);
        vaLo[i] = va % 2 ** 32;
        vaHi[i] = Math.floor(va / 2 ** 32);
      } else if (hi > 0) {
        vaLo[i] = (place << 20) | (lo & 0xfffff);
        vaHi[i] = 0;
        moved += 1;
      }
    }
    filler.references = before + count;
    rebase?.count(moved);
  }

  private takeClose(payload: Uint8Array): void {
    const close = this.parsed(payload) as Partial<BinaryTraceClose>;
    const blocks = this.frames - 1;
    if (close.references !== this.stored || close.blocks !== blocks || typeof close.addressBits !== 'number')
      throw this.damaged(
        `the close counts ${close.references} references in ${close.blocks} blocks, ` +
          `the file has ${this.stored} in ${blocks}`,
      );
    this.close = close as BinaryTraceClose;
  }

  private parsed(payload: Uint8Array): object {
    try {
      const value: unknown = JSON.parse(new TextDecoder().decode(payload));
      if (typeof value === 'object' && value !== null) return value;
    } catch {
      // Told below.
    }
    throw this.damaged('head or close are no JSON');
  }

  private damaged(what: string): TraceError {
    return damagedTrace(what, this.place());
  }

  private place(): string {
    return `${this.options.name ?? 'trace'}, frame ${this.frames} at byte ${this.passed}`;
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
