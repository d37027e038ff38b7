import type { PteView } from '@tablewalk/contracts';
import { decodeLinux, encodeDevice, encodeLinux, hardwareWord, LinuxPte } from './descriptors.ts';

/**
 * The page of second-level tables, in two generations of Linux (spec/page-tables.md, 1.1 and 1.5):
 *
 *   offset         linux-first, 2.6.38 and later    hw-first, 2.6.37 and before
 *   0              Linux tables 0 and 1             the tables 0 and 1 that hardware walks
 *   2048           the two that hardware walks      Linux tables 0 and 1
 *   bit 7, bit 9   L_PTE_RDONLY, L_PTE_XN           L_PTE_WRITE, L_PTE_EXEC: the opposite sense
 *
 * After arch/arm/include/asm/pgtable.h and pgalloc.h of 2.6.36 and 2.6.39. Every other bit is in the same place.
 */
export const PTE_LAYOUTS = ['linux-first', 'hw-first'] as const;
export type PteLayout = (typeof PTE_LAYOUTS)[number];

/** Between a word of Linux and the hardware's word for the same page. */
const HALF_PAGE = 2048;

export interface PtePage {
  /** Bytes from the beginning of the page to Linux's first table, and to the first that hardware walks. */
  readonly linuxTables: number;
  readonly hwTables: number;
  /** Linux words: of a page of user space, of device memory for the kernel, of read-only kernel memory. */
  encode(pte: PteView): number;
  encodeDevice(pfn: number): number;
  encodeKernelReadOnly(pfn: number): number;
  /** Undefined when L_PTE_PRESENT is 0. */
  decode(linux: number): PteView | undefined;
  /** set_pte_ext: what the hardware may see of a Linux word. */
  hardwareWord(linux: number): number;
}

export function ptePageOf(layout: PteLayout): PtePage {
  const oldSense = layout === 'hw-first' ? LinuxPte.readOnly | LinuxPte.executeNever : 0;
  const inSense = (word: number): number => (word ^ oldSense) >>> 0;
  return {
    linuxTables: layout === 'hw-first' ? HALF_PAGE : 0,
    hwTables: layout === 'hw-first' ? 0 : HALF_PAGE,
    encode: (pte) => inSense(encodeLinux(pte)),
    encodeDevice: (pfn) => inSense(encodeDevice(pfn)),
    encodeKernelReadOnly(pfn) {
      const { present, young, dirty, readOnly, writeAllocate, shared } = LinuxPte;
      return inSense(pfn * 4096 + (present | young | dirty | readOnly | writeAllocate | shared));
    },
    decode: (linux) => decodeLinux(inSense(linux)),
    hardwareWord: (linux) => hardwareWord(inSense(linux)),
  };
}

/**
 * Address of the other word for the same page: of the hardware's for that of Linux, and the other way round. A page
 * of tables is aligned to 4 KiB, so that one bit tells its halves apart in either layout.
 */
export const otherWord = (pa: number): number => (pa ^ HALF_PAGE) >>> 0;
