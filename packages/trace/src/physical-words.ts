import type { WordReader } from '@tablewalk/contracts';

const WORDS_PER_FRAME = 1024;

/** The arena twin of the slice `memory`: the same words, in one typed array for each frame that holds any. */
export class PhysicalWords implements WordReader {
  /** Words written so far. */
  version = 0;
  private readonly frames = new Map<number, Int32Array>();

  read32(pa: number): number {
    const frame = this.frames.get(Math.floor(pa / 4096));
    return frame === undefined ? 0 : (frame[(pa >>> 2) & (WORDS_PER_FRAME - 1)] as number) >>> 0;
  }

  write32(pa: number, value: number): void {
    this.version += 1;
    const number = Math.floor(pa / 4096);
    let frame = this.frames.get(number);
    if (frame === undefined) this.frames.set(number, (frame = new Int32Array(WORDS_PER_FRAME)));
    frame[(pa >>> 2) & (WORDS_PER_FRAME - 1)] = value;
  }
}
