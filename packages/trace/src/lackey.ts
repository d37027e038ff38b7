import { hex, TraceError } from '@tablewalk/base';
import { AccessKind, accessBatch } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { HEX_DIGIT, isNoise, LINE_FAULTS, LineVerdict, parseLackeyLine } from './lackey-line.ts';
import { LINE_BYTES_MAX, readableLine } from './lackey-line.ts';
import type { LackeyLine } from './lackey-line.ts';
import type { Rebase } from './rebase.ts';

export interface LackeyOptions {
  /** Named in errors: the file, say. */
  readonly name?: string;
  /** Virtual address bits of the machine, 12 to 48; wider addresses are refused. Default 48. */
  readonly addressBits?: number;
  /** Count malformed lines and go on, instead of refusing the first. */
  readonly skipBadLines?: boolean;
  /** Take each S and each M as one load (golden/traces, `allLoads`). */
  readonly accessesAsLoads?: boolean;
  /** Fold addresses of 2^32 and above; its `summary` says what it did. One for each trace. */
  readonly rebase?: Rebase;
  /** References in a batch. Default 32768. */
  readonly batchReferences?: number;
}

/** The fast path may look this far: 3 + 10 digits + comma + 2 digits + LF. */
const FAST_BYTES = 17;
const LF = 0x0a;
const COMMA = 0x2c;
const SPACE = 0x20;
const DEFAULT_BATCH_REFERENCES = 32768;

/**
 * Reads lackey text as it comes, in chunks cut anywhere, into batches of a fixed size. Memory stays
 * constant for chunks of a constant size: what is kept is one batch and the beginning of one line.
 * Common lines (8- or 10-digit address, size of one or two digits, LF) take a path that makes no
 * string and calls nothing; all others are parsed by `parseLackeyLine`.
 *
 * A refusal is final: after a TraceError the reader must be thrown away.
 */
export class LackeyReader {
  /** Lines begun so far: the number of the line that an error names. */
  lines = 0;
  references = 0;
  /** Malformed lines passed over (`skipBadLines`), and what was wrong with the first. */
  badLines = 0;
  firstBadLine: string | undefined;

  private batch: AccessBatch;
  private readonly capacity: number;
  private readonly line: LackeyLine = { kind: AccessKind.fetch, va: 0, size: 0 };
  private readonly carry = new Uint8Array(LINE_BYTES_MAX);
  private carried = 0;
  private overlong = false;
  private readonly kindOf: Uint8Array;
  private readonly hiMax: number;
  private readonly vaEnd: number;
  private readonly fastRebase: boolean;

  constructor(private readonly options: LackeyOptions = {}) {
    this.capacity = options.batchReferences ?? DEFAULT_BATCH_REFERENCES;
    this.batch = accessBatch(this.capacity);
    const load = AccessKind.load;
    this.kindOf = Uint8Array.from(options.accessesAsLoads === true ? [0, load, load, load] : [0, 1, 2, 3]);
    this.vaEnd = 2 ** (options.addressBits ?? 48);
    // On the fast path only the high half is compared, so narrow machines take the other path.
    this.hiMax = this.vaEnd >= 2 ** 32 ? this.vaEnd / 2 ** 32 - 1 : -1;
    this.fastRebase = options.rebase !== undefined;
  }

  /** Takes the next bytes; answers the batches that they filled. The batches are the caller's. */
  push(chunk: Uint8Array): AccessBatch[] {
    const full: AccessBatch[] = [];
    let at = this.carried > 0 || this.overlong ? this.finishCarried(chunk, full) : 0;
    while (at < chunk.length) {
      at = this.parseFast(chunk, at);
      if (this.batch.count === this.capacity) {
        this.turnOver(full);
        continue;
      }
      if (at === chunk.length) break;
      const end = chunk.indexOf(LF, at);
      if (end < 0) {
        this.keep(chunk, at, chunk.length);
        break;
      }
      this.parseSlow(chunk, at, end, full);
      at = end + 1;
    }
    return full;
  }

  /** The end of the text: takes the last line, if no LF ended it; answers what is left. */
  end(): AccessBatch[] {
    const left: AccessBatch[] = [];
    if (this.carried > 0 || this.overlong) this.parseCarried(left);
    if (this.batch.count > 0) this.turnOver(left);
    return left;
  }

  /** Common lines from `at` on, until the chunk or the batch ends or an uncommon line begins there. */
  private parseFast(bytes: Uint8Array, start: number): number {
    const { batch, capacity, hiMax, kindOf } = this;
    const digits = HEX_DIGIT;
    const { kind: kinds, vaLo, vaHi, size: sizes } = batch;
    const rebase = this.fastRebase ? this.options.rebase : undefined;
    const lastStart = bytes.length - FAST_BYTES;
    let at = start;
    let count = batch.count;
    while (at <= lastStart && count < capacity) {
      const first = bytes[at] as number;
      const second = bytes[at + 1] as number;
      let kind: number;
      if (first === 0x49 && second === SPACE) kind = 0;
      else if (first !== SPACE) break;
      else if (second === 0x4c) kind = 1;
      else if (second === 0x53) kind = 2;
      else if (second === 0x4d) kind = 3;
      else break;
      if (bytes[at + 2] !== SPACE) break;
      const d0 = digits[bytes[at + 3] as number] as number;
      const d1 = digits[bytes[at + 4] as number] as number;
      const d2 = digits[bytes[at + 5] as number] as number;
      const d3 = digits[bytes[at + 6] as number] as number;
      const d4 = digits[bytes[at + 7] as number] as number;
      const d5 = digits[bytes[at + 8] as number] as number;
      const d6 = digits[bytes[at + 9] as number] as number;
      const d7 = digits[bytes[at + 10] as number] as number;
      if (((d0 | d1 | d2 | d3 | d4 | d5 | d6 | d7) & 0x80) !== 0) break;
      let lo = (d0 << 28) | (d1 << 24) | (d2 << 20) | (d3 << 16) | (d4 << 12) | (d5 << 8) | (d6 << 4) | d7;
      let hi = 0;
      let next = at + 11;
      if (bytes[next] !== COMMA) {
        const d8 = digits[bytes[next] as number] as number;
        const d9 = digits[bytes[next + 1] as number] as number;
        if (((d8 | d9) & 0x80) !== 0 || bytes[next + 2] !== COMMA) break;
        hi = lo >>> 24;
        lo = (lo << 8) | (d8 << 4) | d9;
        next += 2;
      }
      let size = (bytes[next + 1] as number) - 0x30;
      if (size < 1 || size > 9) break;
      next += 2;
      if (bytes[next] !== LF) {
        const digit = (bytes[next] as number) - 0x30;
        if (digit < 0 || digit > 9 || bytes[next + 1] !== LF) break;
        size = size * 10 + digit;
        next += 1;
      }
      // Near 2^32 a reference may leave the space that `hi` lies in: the slow path looks at its end.
      if (hi > hiMax || lo >>> 0 > 0xffffff00) break;
      if (rebase !== undefined && (hi !== 0 || !rebase.settled(lo, size))) break;
      kinds[count] = kindOf[kind] as number;
      vaLo[count] = lo;
      vaHi[count] = hi;
      sizes[count] = size;
      count += 1;
      at = next + 1;
    }
    const parsed = count - batch.count;
    batch.count = count;
    this.lines += parsed;
    this.references += parsed;
    return at;
  }

  private parseSlow(bytes: Uint8Array, start: number, end: number, full: AccessBatch[]): void {
    this.lines += 1;
    const { line } = this;
    const verdict = parseLackeyLine(bytes, start, end, line);
    if (verdict === LineVerdict.reference) this.append(line, full);
    else if (verdict > LineVerdict.reference) this.refuse(verdict, bytes, start, end);
  }

  private append({ kind, va: written, size }: LackeyLine, full: AccessBatch[]): void {
    const at = (): string => this.place();
    const va = this.options.rebase?.move(written, size, at) ?? written;
    if (va + size > this.vaEnd) throw tooWide(va, size, Math.log2(this.vaEnd), at(), this.lines);
    const { batch } = this;
    const i = batch.count++;
    batch.kind[i] = this.kindOf[kind] as number;
    batch.vaLo[i] = va % 2 ** 32;
    batch.vaHi[i] = Math.floor(va / 2 ** 32);
    batch.size[i] = size;
    this.references += 1;
    if (batch.count === this.capacity) this.turnOver(full);
  }

  private turnOver(full: AccessBatch[]): void {
    full.push(this.batch);
    this.batch = accessBatch(this.capacity);
  }

  /** Keeps the beginning of a line whose end has not come yet. */
  private keep(chunk: Uint8Array, start: number, end: number): void {
    const room = LINE_BYTES_MAX - this.carried;
    const bytes = chunk.subarray(start, Math.min(end, start + room));
    this.carry.set(bytes, this.carried);
    this.carried += bytes.length;
    if (end - start > room) this.overlong = true;
  }

  /** Completes the line that the last chunk began; answers where the next line begins. */
  private finishCarried(chunk: Uint8Array, full: AccessBatch[]): number {
    const end = chunk.indexOf(LF);
    this.keep(chunk, 0, end < 0 ? chunk.length : end);
    if (end < 0) return chunk.length;
    this.parseCarried(full);
    return end + 1;
  }

  private parseCarried(full: AccessBatch[]): void {
    const { carry, carried, overlong } = this;
    this.carried = 0;
    this.overlong = false;
    if (!overlong) return this.parseSlow(carry, 0, carried, full);
    this.lines += 1;
    if (!isNoise(carry, 0, carried)) this.refuse(LineVerdict.tooLong, carry, 0, carried);
  }

  private refuse(verdict: LineVerdict, bytes: Uint8Array, start: number, end: number): void {
    const what = `line ${this.lines} is no lackey reference: "${readableLine(bytes, start, end)}"`;
    const why = LINE_FAULTS[verdict] as string;
    const fix = 'mend the file, or pass --skip-bad-lines';
    if (this.options.skipBadLines !== true)
      throw new TraceError('TRACE_BAD_LINE', { what, why, fix, at: this.place() });
    this.badLines += 1;
    this.firstBadLine ??= `${what} (${why})`;
  }

  private place(): string {
    return `${this.options.name ?? 'trace'}:${this.lines}`;
  }
}

function tooWide(va: number, size: number, bits: number, at: string, line: number): TraceError {
  const rebased = bits >= 32 ? 'pass --rebase (it moves them below 2^32 and says where to), or ' : '';
  return new TraceError('TRACE_ADDRESS_TOO_WIDE', {
    what: `line ${line}: ${size} bytes at ${hex(va)} do not fit in this machine's addresses of ${bits} bits`,
    why: 'the trace was captured on a machine with wider addresses',
    fix: `${rebased}use a machine with wider addresses`,
    at,
  });
}
