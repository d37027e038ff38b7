import type { AccessBatch } from '@tablewalk/contracts';

/** So many references that their columns fit into the host's first-level cache beside the rest. */
const REFERENCES = 4096;

/**
 * Some references of a batch, where the text of a loop reads them: in arrays that stay the same, so that V8 compiles
 * their addresses and lengths into it. That saves more than the copy costs (docs/adr/0011).
 */
export class Stretch {
  readonly kinds = new Uint8Array(REFERENCES);
  readonly vaLo = new Uint32Array(REFERENCES);
  readonly vaHi = new Uint16Array(REFERENCES);
  readonly sizes = new Uint16Array(REFERENCES);

  /** Takes references `[from, to)`, or as many as there is room for; answers where it ended. */
  take({ kind, vaLo, vaHi, size }: AccessBatch, from: number, to: number): number {
    const end = Math.min(to, from + REFERENCES);
    this.kinds.set(kind.subarray(from, end));
    this.vaLo.set(vaLo.subarray(from, end));
    this.vaHi.set(vaHi.subarray(from, end));
    this.sizes.set(size.subarray(from, end));
    return end;
  }
}
