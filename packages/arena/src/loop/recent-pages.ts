import type { TlbCpu } from '../tlb-cpu.ts';
import type { TlbStructure } from '../tlb-structure.ts';

const KINDS = 4;
/** log2 of the places for each kind of access. */
export const RECENT_SHIFT = 8;
export const RECENT_MASK = 2 ** RECENT_SHIFT - 1;
const ENTRIES = 2 ** RECENT_SHIFT;

/**
 * An index of entries that the first-level TLBs of a CPU hold now: by kind of access and page, where the page
 * leads, if such an access is permitted there. It only says again what the structures say.
 *
 * 1. A page stands in it only while its entry is in the structure, valid and unwatched. Loops that are made forget
 *    what they drive out. Of all other changes `settle` hears, which must be called before the index is used again.
 * 2. A vacant place holds a page that has its place elsewhere, so it never matches.
 */
export class RecentPages {
  /** Page number, bits 43:12 of the virtual address. */
  readonly page = new Int32Array(KINDS * ENTRIES);
  /** Number of the page's first line, in the cache that this kind of access uses. */
  readonly base = new Int32Array(KINDS * ENTRIES);
  readonly slot = new Int32Array(KINDS * ENTRIES);
  /** Changes of each structure's entries, as seen last. */
  private readonly seen: Float64Array;
  /** The kinds of access that look in each structure of the first level. */
  private readonly kindsOf: readonly Uint8Array[];

  constructor(
    private readonly cpu: TlbCpu,
    private readonly lineShifts: readonly number[],
    /** First upper half of a virtual and of a physical address that is too high. */
    private readonly ends: { readonly va: number; readonly pa: number },
  ) {
    this.seen = new Float64Array(cpu.structures.length);
    const kinds = [...cpu.byKind.keys()];
    this.kindsOf = cpu.structures
      .map((_, s) => Uint8Array.from(kinds.filter((kind) => cpu.byKind[kind] === s)))
      .filter(({ length }) => length > 0);
    this.forget();
  }

  forget(): void {
    for (let kind = 0; kind < KINDS; kind++) this.forgetKind(kind);
  }

  settle(): void {
    const { structures } = this.cpu;
    for (let s = 0; s < this.kindsOf.length; s++) {
      const structure = structures[s] as TlbStructure;
      const { changes } = structure;
      const missed = changes - (this.seen[s] as number);
      if (missed === 0) continue;
      this.seen[s] = changes;
      const onePage = missed === 1 && structure.changedMask === -1;
      const kinds = this.kindsOf[s] as Uint8Array;
      for (let k = 0; k < kinds.length; k++)
        if (onePage) this.forgetPage(kinds[k] as number, structure);
        else this.forgetKind(kinds[k] as number);
    }
  }

  /** Notes, for accesses of `kind`, the page that structure `s` translated last, if the entry allows them. */
  note(s: number, kind: number): void {
    const { last } = this.cpu;
    const page = last.page[s] as number;
    const vaHi = last.vaHi[s] as number;
    const paLo = last.paLo[s] as number;
    const paHi = last.paHi[s] as number;
    if (page < 0 || vaHi >= this.ends.va || paHi >= this.ends.pa) return;
    if ((((last.allowed[s] as number) >>> kind) & 1) === 0) return;
    const number = (vaHi << 20) | page;
    const lineShift = this.lineShifts[kind] as number;
    const base = (paHi << (32 - lineShift)) | (paLo >>> lineShift);
    // The last line that 32 bits can number marks an invalid way: the slow path refuses it.
    if ((base | (4095 >>> lineShift)) === -1 || (number << (12 - lineShift)) >> (12 - lineShift) === -1)
      return;
    const place = (kind << RECENT_SHIFT) | (number & (ENTRIES - 1));
    this.page[place] = number;
    this.base[place] = base;
    this.slot[place] = last.slot[s] as number;
  }

  /** Forgets the page of 4 KiB that the entry changed last translated, if it stands here by that entry. */
  private forgetPage(kind: number, { changedVpn, changed }: TlbStructure): void {
    const place = changedVpn & (ENTRIES - 1);
    const at = (kind << RECENT_SHIFT) | place;
    if (this.page[at] === changedVpn && this.slot[at] === changed) this.page[at] = place ^ 1;
  }

  private forgetKind(kind: number): void {
    const first = kind << RECENT_SHIFT;
    for (let place = 0; place < ENTRIES; place++) this.page[first + place] = place ^ 1;
  }
}
