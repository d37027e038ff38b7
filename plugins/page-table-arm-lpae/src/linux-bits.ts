import type { PteView } from '@tablewalk/contracts';

/**
 * Linux's long descriptors: hardware's bits and its own in one word of 64. arch/arm/include/asm/pgtable-3level.h,
 * pgtable-3level-hwdef.h, arch/arm/mm/proc-v7-3level.S; spec/page-tables.md, 5.2. A word is two unsigned halves;
 * bit 32 + n is bit n of `hi`.
 */
export interface Word64 {
  readonly lo: number;
  readonly hi: number;
}
export const ZERO: Word64 = { lo: 0, hi: 0 };

export interface Generation {
  /**
   * `modern`: L_PTE_RDONLY is bit 58, and AP[2] is made of it and of L_PTE_DIRTY. `v3.3`: L_PTE_RDONLY is AP[2], so
   * that a clean page is stored as read-only and never known for writable again (HB-24b).
   */
  readonly generation: 'modern' | 'v3.3';
  /** Predicates of bits above 31 come through an int of 32 bits: pte_dirty is always false (HB-24a). */
  readonly truncatedPredicates: boolean;
}

/** Bits of the low half. */
export const Lo = {
  valid: 1 << 0,
  /** Not a block: a table, or at level 3 a page. With `valid`, L_PTE_PRESENT and PMD_TYPE_TABLE. */
  table: 1 << 1,
  present: 0b11,
  /** L_PTE_MT_*: AttrIndx, into the MAIR of `LINUX_REGISTERS`. */
  deviceShared: 4 << 2,
  writeAllocate: 7 << 2,
  /** AP[1]. */
  user: 1 << 6,
  /** AP[2]. */
  ap2: 1 << 7,
  /** SH: inner shareable. */
  shared: 0b11 << 8,
  /** AF. */
  young: 1 << 10,
  nG: 1 << 11,
} as const;

/** Bits of the high half. */
export const Hi = {
  pxn: 1 << (53 - 32),
  xn: 1 << (54 - 32),
  /** L_PTE_DIRTY in a pte; in a pgd entry the same bit is L_PGD_SWAPPER. */
  dirty: 1 << (55 - 32),
  swapper: 1 << (55 - 32),
  special: 1 << (56 - 32),
  /** L_PTE_NONE: PROT_NONE (3.8 and later). */
  none: 1 << (57 - 32),
  readOnly: 1 << (58 - 32),
} as const;

/** A word with an address and these bits beside. */
export const wordOf = (pa: number, lo: number, hi = 0): Word64 => ({
  lo: ((pa % 2 ** 32) + lo) >>> 0,
  hi: (Math.floor(pa / 2 ** 32) | hi) >>> 0,
});

/** Bits [39:12], in place. */
export const addressOf = ({ lo, hi }: Word64): number => (hi & 0xff) * 2 ** 32 + ((lo & 0xffff_f000) >>> 0);

export const isNone = ({ lo, hi }: Word64): boolean => lo === 0 && hi === 0;
export const isTable = ({ lo }: Word64): boolean => (lo & 0b11) === 0b11;
export const isBlock = ({ lo }: Word64): boolean => (lo & 0b11) === 0b01;

/** What a pte has before set_pte_ext makes it fit for hardware. */
export function linuxPte({ pfn, young, dirty, write }: PteView, { generation }: Generation): Word64 {
  const modern = generation === 'modern';
  const { present, writeAllocate, user, shared, nG } = Lo;
  return wordOf(
    pfn * 4096,
    present | writeAllocate | user | shared | nG | (young ? Lo.young : 0) | (write || modern ? 0 : Lo.ap2),
    // From 3.19 on the kernel does not execute what is user space's.
    (dirty ? Hi.dirty : 0) | (modern ? Hi.pxn : 0) | (write || !modern ? 0 : Hi.readOnly),
  );
}

/** A page of device memory, for the kernel (MT_DEVICE of arch/arm/mm/mmu.c). */
export const devicePte = (pfn: number): Word64 =>
  wordOf(pfn * 4096, Lo.present | Lo.deviceShared | Lo.shared | Lo.young, Hi.dirty | Hi.xn);

/**
 * cpu_v7_set_pte_ext of arch/arm/mm/proc-v7-3level.S: the word that is stored, at once. `modern`: PROT_NONE takes
 * VALID away; AP[2] := clean or RDONLY. `v3.3`: a clean page becomes RDONLY, and there is no PROT_NONE.
 */
export function setPteExt({ lo, hi }: Word64, { generation }: Generation): Word64 {
  if ((lo & Lo.valid) === 0) return { lo, hi };
  const clean = (hi & Hi.dirty) === 0;
  if (generation === 'v3.3') return { lo: (lo | (clean ? Lo.ap2 : 0)) >>> 0, hi };
  if ((hi & Hi.none) !== 0) return { lo: (lo & ~Lo.valid) >>> 0, hi };
  const readOnly = clean || (hi & Hi.readOnly) !== 0;
  return { lo: (readOnly ? lo | Lo.ap2 : lo & ~Lo.ap2) >>> 0, hi };
}

/** What software reads from a pte: pte_young, pte_dirty, pte_write. */
export function decodePte(
  word: Word64,
  { generation, truncatedPredicates }: Generation,
): PteView | undefined {
  if ((word.lo & Lo.present) === 0) return undefined;
  const readOnly = generation === 'v3.3' ? (word.lo & Lo.ap2) !== 0 : (word.hi & Hi.readOnly) !== 0;
  return {
    pfn: addressOf(word) / 4096,
    young: (word.lo & Lo.young) !== 0,
    dirty: !truncatedPredicates && (word.hi & Hi.dirty) !== 0,
    write: !readOnly,
  };
}

export const tableEntry = (table: number, hi = 0): Word64 => wordOf(table, Lo.present, hi);

/** PMD_TYPE_SECT of kernel memory: 2 MiB, write-allocate, inner shareable, for PL1 alone, global. */
export const kernelBlock = (pa: number): Word64 =>
  wordOf(pa, Lo.valid | Lo.writeAllocate | Lo.shared | Lo.young);
/** The same of device memory, execute-never. */
export const deviceBlock = (pa: number): Word64 =>
  wordOf(pa, Lo.valid | Lo.deviceShared | Lo.shared | Lo.young, Hi.xn);
