import type { TlbCpu } from '../tlb-cpu.ts';
import type { TlbStructure } from '../tlb-structure.ts';
import { RECENT_SHIFT } from './hit-source.ts';

const KINDS = 4;
const ENTRIES = 2 ** RECENT_SHIFT;

/**
 * An index of entries that the first-level TLBs of a CPU hold now: by kind of access and page, where the page
 * leads, if such an access is permitted there. It only says again what the structures say.
 *
 * 1. A page stands in it only while its entry is in the structure, valid and unwatched: `settle` forgets all pages
 *    of a structure whose entries have changed, and must be called before the index is looked at again.
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

  /**
   * Notes the page that structure `s` translated last, for every kind of access that may use it. Answers whether
   * `wanted` is one of them.
   */
  note(s: number, wanted: number): boolean {
    const { last } = this.cpu;
    const allowed = last.allowed[s] as number;
    const slot = last.slot[s] as number;
    const kinds = this.kindsOf[s] as Uint8Array;
    const page = last.page[s] as number;
    const vaHi = last.vaHi[s] as number;
    const paLo = last.paLo[s] as number;
    const paHi = last.paHi[s] as number;
    if (page < 0 || vaHi >= this.ends.va || paHi >= this.ends.pa) return false;
    const number = (vaHi << 20) | page;
    let noted = false;
    for (let k = 0; k < kinds.length; k++) {
      const kind = kinds[k] as number;
      if (((allowed >>> kind) & 1) === 0) continue;
      const lineShift = this.lineShifts[kind] as number;
      const base = (paHi << (32 - lineShift)) | (paLo >>> lineShift);
      // The last line that 32 bits can number marks an invalid way: the slow path refuses it.
      if ((base | (4095 >>> lineShift)) === -1 || (number << (12 - lineShift)) >> (12 - lineShift) === -1)
        continue;
      const place = (kind << RECENT_SHIFT) | (number & (ENTRIES - 1));
      this.page[place] = number;
      this.base[place] = base;
      this.slot[place] = slot;
      if (kind === wanted) noted = true;
    }
    return noted;
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
