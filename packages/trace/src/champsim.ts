import { TraceError } from '@tablewalk/base';
import { AccessKind } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { BatchFiller } from './batch-filler.ts';
import type { TraceReader, TraceReaderOptions } from './trace-reader.ts';

/**
 * A record of ChampSim (inc/trace_instruction.h, `input_instr`): u64 ip, u8 is_branch, u8 branch_taken,
 * u8 destination_registers[2], u8 source_registers[4], u64 destination_memory[2], u64 source_memory[4].
 */
export const CHAMPSIM_RECORD_BYTES = 64;
const DESTINATION = 16;
const SOURCE = 32;
const END = 64;

/**
 * Records have no sizes. A fetch is taken for 4 bytes and a datum for 8, but none goes beyond the block of
 * 64 bytes that it begins in: ChampSim, too, makes each address an access of one block.
 */
const FETCH_BYTES = 4;
const DATUM_BYTES = 8;
const BLOCK_BYTES = 64;

/** ChampSim's records: for each, a fetch of its ip, loads of its sources, stores of its destinations; 0 is none. */
export class ChampSimReader implements TraceReader {
  records = 0;
  badLines = 0;
  firstBadLine: string | undefined;
  private readonly filler: BatchFiller;
  private readonly carry = new Uint8Array(CHAMPSIM_RECORD_BYTES);
  private carried = 0;

  constructor(private readonly options: TraceReaderOptions = {}) {
    this.filler = new BatchFiller(options, 'record', () => this.records);
  }

  get references(): number {
    return this.filler.references;
  }

  push(chunk: Uint8Array): AccessBatch[] {
    let at = 0;
    if (this.carried > 0) {
      at = Math.min(CHAMPSIM_RECORD_BYTES - this.carried, chunk.length);
      this.carry.set(chunk.subarray(0, at), this.carried);
      this.carried += at;
      if (this.carried < CHAMPSIM_RECORD_BYTES) return this.filler.taken();
      this.record(viewOf(this.carry), 0);
      this.carried = 0;
    }
    const view = viewOf(chunk);
    for (; at + CHAMPSIM_RECORD_BYTES <= chunk.length; at += CHAMPSIM_RECORD_BYTES) this.record(view, at);
    this.carried = chunk.length - at;
    this.carry.set(chunk.subarray(at));
    return this.filler.taken();
  }

  end(): AccessBatch[] {
    if (this.carried > 0)
      throw new TraceError('TRACE_TRUNCATED', {
        what: `${this.carried} bytes follow the last whole record`,
        why: `a ChampSim record has ${CHAMPSIM_RECORD_BYTES} bytes, so the file was cut or is something else`,
        fix: 'restore the file from a copy, or name its format by --format',
        at: this.filler.place(),
      });
    return this.filler.rest();
  }

  private record(view: DataView, at: number): void {
    this.records += 1;
    const flags = view.getUint16(at + 8, true);
    if ((flags & 0xfefe) !== 0) return this.refuse('is_branch and branch_taken are 0 or 1');
    for (let field = at + DESTINATION; field < at + END; field += 8)
      if (view.getUint16(field + 6, true) !== 0) return this.refuse('an address needs more than 48 bits');
    if (view.getUint16(at + 6, true) !== 0) return this.refuse('the ip needs more than 48 bits');
    this.append(AccessKind.fetch, view, at, FETCH_BYTES);
    for (let field = at + SOURCE; field < at + END; field += 8)
      this.append(AccessKind.load, view, field, DATUM_BYTES);
    for (let field = at + DESTINATION; field < at + SOURCE; field += 8)
      this.append(AccessKind.store, view, field, DATUM_BYTES);
  }

  private append(kind: AccessKind, view: DataView, at: number, bytes: number): void {
    const lo = view.getUint32(at, true);
    const hi = view.getUint32(at + 4, true);
    if (lo === 0 && hi === 0 && kind !== AccessKind.fetch) return;
    this.filler.append(kind, hi * 2 ** 32 + lo, Math.min(bytes, BLOCK_BYTES - (lo % BLOCK_BYTES)));
  }

  private refuse(why: string): void {
    const what = `record ${this.records} is no ChampSim record`;
    if (this.options.skipBadLines !== true)
      throw new TraceError('TRACE_BAD_RECORD', {
        what,
        why,
        fix: 'mend the file, pass --skip-bad-lines, or name its format by --format',
        at: this.filler.place(),
      });
    this.badLines += 1;
    this.firstBadLine ??= `${what} (${why})`;
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
