import type { Digest, PrngState } from '@tablewalk/base';
import { assert, prngSeed } from '@tablewalk/base';
import type { ArenaColumn as Column, ArenaImage } from '@tablewalk/contracts';

export type { ArenaImage };

const PRNG_WORDS = 4;

/** The typed arrays and generators in which an engine keeps all its state: what a checkpoint copies. */
export class Arena {
  private readonly columns: Column[] = [];
  private readonly generators: PrngState[] = [];

  int32(length: number, value = 0): Int32Array {
    return this.keep(new Int32Array(length).fill(value));
  }

  uint8(length: number): Uint8Array {
    return this.keep(new Uint8Array(length));
  }

  /** For counters: saved, but no part of the digest. */
  float64(length: number): Float64Array {
    return this.keep(new Float64Array(length));
  }

  /** A generator of its own for each structure, so that one structure's draws do not shift another's. */
  generator(seed: number): PrngState {
    const state = prngSeed(seed, this.generators.length);
    this.generators.push(state);
    return state;
  }

  digestInto(digest: Digest): void {
    for (const column of this.columns) if (!(column instanceof Float64Array)) digest.words(column);
    for (const state of this.generators) digest.words(state);
  }

  /** All columns, then the states of the generators as one more. */
  save(): ArenaImage {
    return [...this.columns.map((column) => column.slice()), Int32Array.from(this.generators.flat())];
  }

  load(image: ArenaImage): void {
    const states = image.at(-1);
    const fits =
      image.length === this.columns.length + 1 &&
      this.columns.every((column, i) => sameShape(column, image[i] as Column)) &&
      states?.length === this.generators.length * PRNG_WORDS;
    assert(fits, 'the image is of another arena');
    this.columns.forEach((column, i) => {
      column.set(image[i] as Column);
    });
    this.generators.forEach((state, g) => {
      for (let i = 0; i < PRNG_WORDS; i++) state[i] = states[g * PRNG_WORDS + i] as number;
    });
  }

  private keep<T extends Column>(column: T): T {
    this.columns.push(column);
    return column;
  }
}

const sameShape = (a: Column, b: Column): boolean => a.constructor === b.constructor && a.length === b.length;
