import type { TableFormat } from '@tablewalk/contracts';
import type { TablePages } from './pages.ts';
import type { WalkStep } from './walk.ts';

/**
 * What Linux keeps in tables for itself: spec/page-tables.md 1.1, 1.5, 5.2; arch/arm/include/asm/pgtable-2level.h,
 * pgtable-3level.h, pgtable-3level-hwdef.h of 6.1.
 */
export interface LinuxEntry {
  /** `pte_t` in a table of its own (short format); `bits` in the hardware descriptor (long format). */
  readonly kind: 'pte' | 'bits';
  /** Physical byte address of the word that has the bits. */
  readonly pa: number;
  readonly lo: number;
  readonly hi: number;
  /** Names of the bits that are set, and the memory type's where there is one. */
  readonly names: readonly string[];
}

/** Of a descriptor on the way of a walk; undefined where Linux adds nothing there, or the dump lacks it. */
export function linuxEntryOf(
  { wordBytes }: TableFormat,
  { level, pa, lo, hi, layout }: WalkStep,
  pages: TablePages,
): LinuxEntry | undefined {
  if (wordBytes === 8)
    return { kind: 'bits', pa, lo, hi, names: softwareBits(level, layout.type === 'table', lo, hi) };
  if (level !== 2) return undefined;
  const own = linuxPteAddress(pa);
  if (!pages.has(own)) return undefined;
  const pte = pages.read32(own);
  return { kind: 'pte', pa: own, lo: pte, hi: 0, names: linuxPteNames(pte) };
}

/**
 * Where Linux's own word of a hardware page descriptor lies. From 2.6.38 on the page has Linux's tables at +0 and
 * the hardware's at +0x800; before that it was the other way round.
 */
export const linuxPteAddress = (pa: number): number => (pa % 4096 >= 2048 ? pa - 2048 : pa + 2048);

const PTE_BITS: readonly (readonly [bit: number, name: string])[] = [
  [0, 'L_PTE_PRESENT'],
  [1, 'L_PTE_YOUNG'],
  [6, 'L_PTE_DIRTY'],
  [7, 'L_PTE_RDONLY'],
  [8, 'L_PTE_USER'],
  [9, 'L_PTE_XN'],
  [10, 'L_PTE_SHARED'],
  [11, 'L_PTE_NONE'],
];
/** L_PTE_MT_*, bits [5:2]. */
const MEMORY_TYPES: Readonly<Record<number, string>> = {
  0b0000: 'UNCACHED',
  0b0001: 'BUFFERABLE',
  0b0010: 'WRITETHROUGH',
  0b0011: 'WRITEBACK',
  0b0100: 'DEV_SHARED',
  0b0110: 'MINICACHE',
  0b0111: 'WRITEALLOC',
  0b1001: 'DEV_WC',
  0b1011: 'DEV_CACHED',
  0b1100: 'DEV_NONSHARED',
  0b1111: 'VECTORS',
};

/** Of an entry that is not present the other bits are a swap entry, or nothing. */
export function linuxPteNames(pte: number): string[] {
  if (pte === 0) return [];
  if ((pte & 1) === 0) return ['swap entry or migration entry'];
  const names = PTE_BITS.filter(([bit]) => ((pte >>> bit) & 1) === 1).map(([, name]) => name);
  const type = (pte >>> 2) & 0b1111;
  return [...names, `L_PTE_MT_${MEMORY_TYPES[type] ?? `0x${type.toString(16)}`}`];
}

/** Bits 55 and up of a long descriptor, which hardware does not look at; `hi` has bit 32 as its bit 0. */
function softwareBits(level: number, table: boolean, lo: number, hi: number): string[] {
  const at = ([bit]: readonly [bit: number, name: string]): boolean => ((hi >>> (bit - 32)) & 1) === 1;
  if (table)
    return [[55, 'L_PGD_SWAPPER'] as const].filter((bit) => level === 1 && at(bit)).map(([, name]) => name);
  const names = (level === 3 ? PTE_SOFTWARE_BITS : SECTION_SOFTWARE_BITS).filter(at).map(([, name]) => name);
  // Not valid, not PROT_NONE, and not none: what is left of a page that is elsewhere.
  const elsewhere = (lo & 1) === 0 && (lo !== 0 || hi !== 0) && !at([57, 'NONE']);
  return elsewhere ? ['swap entry or migration entry'] : names;
}

const PTE_SOFTWARE_BITS = [
  [55, 'L_PTE_DIRTY'],
  [56, 'L_PTE_SPECIAL'],
  [57, 'L_PTE_NONE'],
  [58, 'L_PTE_RDONLY'],
] as const;
const SECTION_SOFTWARE_BITS = [
  [55, 'L_PMD_SECT_DIRTY'],
  [57, 'L_PMD_SECT_NONE'],
  [58, 'L_PMD_SECT_RDONLY'],
] as const;
