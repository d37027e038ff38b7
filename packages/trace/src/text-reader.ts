import { TraceError } from '@tablewalk/base';
import { AccessKind } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { BatchFiller } from './batch-filler.ts';
import { isNoise, LINE_BYTES_MAX, LINE_FAULTS, LineVerdict, readableLine } from './text-line.ts';
import type { TextLine } from './text-line.ts';
import type { TraceReader, TraceReaderOptions } from './trace-reader.ts';

const LF = 0x0a;

/**
 * Reads text, a reference a line, in chunks cut anywhere. What is kept is one batch and the beginning
 * of one line. A format gives a parser of one line, and a fast path for those that are common.
 */
export abstract class TextReader implements TraceReader {
  /** Lines begun so far: the number of the line that an error names. */
  lines = 0;
  badLines = 0;
  firstBadLine: string | undefined;

  protected readonly filler: BatchFiller;
  private readonly line: TextLine = { kind: AccessKind.fetch, va: 0, size: 0 };
  private readonly carry = new Uint8Array(LINE_BYTES_MAX);
  private carried = 0;
  private overlong = false;

  constructor(
    protected readonly options: TraceReaderOptions,
    private readonly format: string,
  ) {
    this.filler = new BatchFiller(options, 'line', () => this.lines);
  }

  get references(): number {
    return this.filler.references;
  }

  /** Parses bytes `[start, end)`, without the LF; a CR before it is allowed. */
  protected abstract parseLine(bytes: Uint8Array, start: number, end: number, line: TextLine): LineVerdict;

  /**
   * Puts common lines from `at` on into the batch, until the chunk or the batch ends or an uncommon line
   * begins; answers where that is, and counts `lines` and `references`.
   */
  protected abstract parseCommon(bytes: Uint8Array, at: number): number;

  push(chunk: Uint8Array): AccessBatch[] {
    const { filler } = this;
    let at = this.carried > 0 || this.overlong ? this.finishCarried(chunk) : 0;
    while (at < chunk.length) {
      at = this.parseCommon(chunk, at);
      if (filler.batch.count === filler.capacity) {
        filler.turnOver();
        continue;
      }
      if (at === chunk.length) break;
      const end = chunk.indexOf(LF, at);
      if (end < 0) {
        this.keep(chunk, at, chunk.length);
        break;
      }
      this.parseSlow(chunk, at, end);
      at = end + 1;
    }
    return filler.taken();
  }

  /** The end of the text: takes the last line, if no LF ended it; answers what is left. */
  end(): AccessBatch[] {
    if (this.carried > 0 || this.overlong) this.parseCarried();
    return this.filler.rest();
  }

  private parseSlow(bytes: Uint8Array, start: number, end: number): void {
    this.lines += 1;
    const { line } = this;
    const verdict = this.parseLine(bytes, start, end, line);
    if (verdict === LineVerdict.reference) this.filler.append(line.kind, line.va, line.size);
    else if (verdict > LineVerdict.reference) this.refuse(verdict, bytes, start, end);
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
  private finishCarried(chunk: Uint8Array): number {
    const end = chunk.indexOf(LF);
    this.keep(chunk, 0, end < 0 ? chunk.length : end);
    if (end < 0) return chunk.length;
    this.parseCarried();
    return end + 1;
  }

  private parseCarried(): void {
    const { carry, carried, overlong } = this;
    this.carried = 0;
    this.overlong = false;
    if (!overlong) return this.parseSlow(carry, 0, carried);
    this.lines += 1;
    if (!isNoise(carry, 0, carried)) this.refuse(LineVerdict.tooLong, carry, 0, carried);
  }

  private refuse(verdict: LineVerdict, bytes: Uint8Array, start: number, end: number): void {
    const what = `line ${this.lines} is no ${this.format} reference: "${readableLine(bytes, start, end)}"`;
    const why = LINE_FAULTS[verdict] as string;
    const fix = 'mend the file, or pass --skip-bad-lines';
    if (this.options.skipBadLines !== true)
      throw new TraceError('TRACE_BAD_LINE', { what, why, fix, at: this.filler.place() });
    this.badLines += 1;
    this.firstBadLine ??= `${what} (${why})`;
  }
}
