import type { Digest, PrngState } from '@tablewalk/base';
import { assert, prngSeed } from '@tablewalk/base';

type Column = Int32Array | Uint8Array | Float64Array;

/** A copy of an arena's contents, for a checkpoint. */
export interface ArenaImage {
  readonly columns: readonly Column[];
  readonly generators: readonly PrngState[];
}

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

  save(): ArenaImage {
    return {
      columns: this.columns.map((column) => column.slice()),
      generators: this.generators.map((state): PrngState => [...state]),
    };
  }

  load(image: ArenaImage): void {
    assert(image.columns.length === this.columns.length, 'the image is of another arena');
    this.columns.forEach((column, i) => column.set(image.columns[i] as Column));
    this.generators.forEach((state, i) => Object.assign(state, image.generators[i]));
  }

  private keep<T extends Column>(column: T): T {
    this.columns.push(column);
    return column;
  }
}
