import { AccessKind, PieceFlag } from '@tablewalk/contracts';
import type { TranslatedBatch, WalkResult } from '@tablewalk/contracts';
import type { LastPages } from './tlb-cpu.ts';
import type { TlbStructure } from './tlb-structure.ts';

const TWO_32 = 2 ** 32;
/** A reference of 65535 bytes touches at most 17 pages. */
const PAGES_MAX = 17;

/** The parts of one reference, one for each page, as far as they are translated. */
export class PagePieces {
  count = 0;
  readonly va = new Float64Array(PAGES_MAX);
  readonly pa = new Float64Array(PAGES_MAX);
  readonly bytes = new Uint16Array(PAGES_MAX);

  /** Adds the part of `[va, end)` that an entry translates; answers where the next begins. */
  add(structure: TlbStructure, slot: number, va: number, end: number): number {
    const pageBytes = 2 ** (structure.pageShift[slot] as number);
    const offset = va % pageBytes;
    const bytes = Math.min(end - va, pageBytes - offset);
    const i = this.count++;
    this.va[i] = va;
    this.pa[i] =
      (structure.paHi[slot] as number) * TWO_32 + ((structure.paLo[slot] as number) >>> 0) + offset;
    this.bytes[i] = bytes;
    return va + bytes;
  }

  /** Notes the 4 KiB page of the part added last as the one that structure `s` translated last. */
  remember(last: LastPages, s: number, structure: TlbStructure, slot: number): void {
    const i = this.count - 1;
    // A long part may end in another 4 KiB page of a larger page than it begins in; the first serves.
    const va = this.va[i] as number;
    const pa = this.pa[i] as number;
    last.page[s] = (va % TWO_32) >>> 12;
    last.slot[s] = slot;
    last.vaHi[s] = Math.floor(va / TWO_32);
    last.allowed[s] = structure.allowed[slot] as number;
    last.paLo[s] = (pa % TWO_32) & ~0xfff;
    last.paHi[s] = Math.floor(pa / TWO_32);
  }
}

/** One piece a page. A modify in several pages is cut: all its loads, then all its stores. */
export function appendPieces(out: TranslatedBatch, pieces: PagePieces, kind: number): void {
  if (kind !== AccessKind.modify || pieces.count === 1) return appendAs(out, pieces, kind);
  appendAs(out, pieces, AccessKind.load);
  appendAs(out, pieces, AccessKind.store | PieceFlag.modified);
}

function appendAs(out: TranslatedBatch, pieces: PagePieces, kind: number): void {
  for (let i = 0; i < pieces.count; i++) {
    const flag = i > 0 ? PieceFlag.continues : 0;
    append(out, kind | flag, pieces.va[i] as number, pieces.pa[i] as number, pieces.bytes[i] as number);
  }
}

/** The descriptor reads of a walk. */
export function appendWalk(out: TranslatedBatch, found: WalkResult): void {
  for (let i = 0; i < found.reads; i++) {
    const pa = found.readPa[i] as number;
    append(out, AccessKind.walk, pa, pa, found.readBytes);
  }
}

/** One piece that lies in one page. */
export function appendPiece(
  out: TranslatedBatch,
  kind: number,
  lo: number,
  hi: number,
  paLo: number,
  paHi: number,
  bytes: number,
): void {
  const i = out.count++;
  out.kind[i] = kind;
  out.vaLo[i] = lo;
  out.vaHi[i] = hi;
  out.paLo[i] = paLo;
  out.paHi[i] = paHi;
  out.size[i] = bytes;
}

function append(out: TranslatedBatch, kind: number, va: number, pa: number, bytes: number): void {
  const i = out.count++;
  out.kind[i] = kind;
  // What is stored in 32 bits are the low 32.
  out.vaLo[i] = va;
  out.vaHi[i] = Math.floor(va / TWO_32);
  out.paLo[i] = pa;
  out.paHi[i] = Math.floor(pa / TWO_32);
  out.size[i] = bytes;
}
