import { assert } from '@tablewalk/base';
import { AccessKind } from '@tablewalk/contracts';
import type { AccessBatch } from '@tablewalk/contracts';
import { MissCurve } from './miss-curve.ts';
import { StackDistances } from './stack-distances.ts';

export type Stream = 'all' | 'instruction' | 'data';

export interface CurveOptions {
  /** log2 of the bytes of a page or line. */
  readonly unitShift: number;
  /** Which references look in it. Default: all. */
  readonly stream?: Stream;
  /** Sets, chosen by the unit's number modulo their count: then sizes are ways. Default 1: fully associative. */
  readonly sets?: number;
  /** A modify is a load, then a store: a cache counts two. A TLB counts one (default). */
  readonly modifyIsTwo?: boolean;
}

/**
 * Takes the references of one address space and comes to the miss curve of an LRU memory that holds units of
 * them. A reference looks once for every unit that it touches, the lowest first.
 */
export class CurveBuilder {
  references = 0;
  private readonly stacks: readonly StackDistances[];
  private readonly depths: number[] = [0];
  private readonly unit: number;
  private readonly wanted: readonly boolean[];
  private readonly modifyIsTwo: boolean;

  constructor({ unitShift, stream = 'all', sets = 1, modifyIsTwo = false }: CurveOptions) {
    assert(unitShift >= 0 && unitShift <= 40, 'a unit of 1 byte to 1 TiB');
    this.unit = 2 ** unitShift;
    this.stacks = Array.from({ length: sets }, () => new StackDistances());
    this.wanted = [
      stream !== 'data',
      stream !== 'instruction',
      stream !== 'instruction',
      stream !== 'instruction',
    ];
    this.modifyIsTwo = modifyIsTwo;
  }

  /** Distinct units so far. */
  get distinct(): number {
    return this.stacks.reduce((sum, stack) => sum + stack.distinct, 0);
  }

  take({ count, kind: kinds, vaLo, vaHi, size }: AccessBatch): void {
    const { unit, wanted } = this;
    for (let i = 0; i < count; i++) {
      const kind = kinds[i] as number;
      if (wanted[kind] !== true) continue;
      this.references += 1;
      const va = (vaHi[i] as number) * 2 ** 32 + (vaLo[i] as number);
      const first = Math.floor(va / unit);
      const last = Math.floor((va + (size[i] as number) - 1) / unit);
      for (let key = first; key <= last; key++) this.look(key);
      if (this.modifyIsTwo && kind === AccessKind.modify)
        for (let key = first; key <= last; key++) this.look(key);
    }
  }

  curve(): MissCurve {
    return new MissCurve(this.depths);
  }

  private look(key: number): void {
    const { stacks, depths } = this;
    const sets = stacks.length;
    const depth = (stacks[sets === 1 ? 0 : key % sets] as StackDistances).touch(key);
    while (depths.length <= depth) depths.push(0);
    depths[depth] = (depths[depth] as number) + 1;
  }
}
