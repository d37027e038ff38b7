import type { MachineFacts } from '@tablewalk/contracts';

/** Linux's view of three levels (arch/arm/include/asm/pgtable-3level.h; spec/page-tables.md, 5.1). Bytes. */
export const PGDIR_SIZE = 2 ** 30;
export const PMD_SIZE = 2 ** 21;
export const PTRS_PER_PGD = 4;
/** Words of 8 bytes in a page of pmds, or of ptes. */
export const PTRS_PER_TABLE = 512;
/** A pgd: from kmalloc, so a slab of a page holds 128 of them. */
export const PGD_BYTES = PTRS_PER_PGD * 8;
export const PAGE = 4096;

/**
 * swapper_pg_dir lies below the kernel's text (arch/arm/kernel/head.S): TEXT_OFFSET of the image is 0x8000, and it has
 * the 0x5000 bytes before that. A page for the pgd, then a page of pmds for each of its entries.
 */
export const TEXT_OFFSET = 0x8000;
const SWAPPER_BYTES = 0x5000;
export const SWAPPER_TABLES = PAGE;
export const swapperAddress = ({ ramBase }: Pick<MachineFacts, 'ramBase'>): number =>
  ramBase + TEXT_OFFSET - SWAPPER_BYTES;

export const pgdirOf = (va: number): number => va - (va % PGDIR_SIZE);
export const pmdOf = (va: number): number => va - (va % PMD_SIZE);

/** Physical byte address of an entry in the table at `table`. */
export const pgdPlace = (table: number, va: number): number =>
  table + (Math.floor(va / PGDIR_SIZE) % PTRS_PER_PGD) * 8;
export const pmdPlace = (table: number, va: number): number =>
  table + (Math.floor(va / PMD_SIZE) % PTRS_PER_TABLE) * 8;
export const ptePlace = (table: number, va: number): number =>
  table + (Math.floor(va / PAGE) % PTRS_PER_TABLE) * 8;
