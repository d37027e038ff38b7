import type { PteView } from '@tablewalk/contracts';

/**
 * The words that Linux stores: its own, as from 2.6.38 on (`pte-page.ts` has the earlier sense), and the descriptors
 * that it lets the hardware walk, which are sections, page tables and small pages. Linux
 * arch/arm/include/asm/pgtable-2level.h and pgtable-2level-hwdef.h; ARM ARM DDI 0406C B3.5.1. What hardware makes of
 * a descriptor is in format/.
 *
 * Addresses are physical byte addresses; a descriptor is one 32-bit word.
 */

/** Bits of the Linux PTE (L_PTE_*). */
export const LinuxPte = {
  present: 1 << 0,
  young: 1 << 1,
  /** The memory type, L_PTE_MT_*: of two that are used here. */
  memoryType: 15 << 2,
  writeAllocate: 7 << 2,
  deviceShared: 4 << 2,
  dirty: 1 << 6,
  readOnly: 1 << 7,
  user: 1 << 8,
  executeNever: 1 << 9,
  shared: 1 << 10,
} as const;

/** Entries of the first level cover 1 MiB; Linux handles them in pairs of 2 MiB. */
export const SECTION_SIZE = 2 ** 20;
export const PAIR_SIZE = 2 ** 21;
const DOMAIN_USER = 1;

/** Linux word of a user page. */
export function encodeLinux(pte: PteView): number {
  return (
    (pte.pfn * 4096 +
      (LinuxPte.present |
        LinuxPte.writeAllocate |
        LinuxPte.user |
        LinuxPte.shared |
        (pte.young ? LinuxPte.young : 0) |
        (pte.dirty ? LinuxPte.dirty : 0) |
        (pte.write ? 0 : LinuxPte.readOnly))) >>>
    0
  );
}

/** Linux word of a page of device memory, for the kernel (MT_DEVICE of arch/arm/mm/mmu.c). */
export function encodeDevice(pfn: number): number {
  const { present, young, dirty, deviceShared, executeNever, shared } = LinuxPte;
  return (pfn * 4096 + (present | young | dirty | deviceShared | executeNever | shared)) >>> 0;
}

export function decodeLinux(word: number): PteView | undefined {
  if ((word & LinuxPte.present) === 0) return undefined;
  return {
    pfn: word >>> 12,
    young: (word & LinuxPte.young) !== 0,
    dirty: (word & LinuxPte.dirty) !== 0,
    write: (word & LinuxPte.readOnly) === 0,
  };
}

/**
 * set_pte_ext, armv6_set_pte_ext of arch/arm/mm/proc-macros.S: what the hardware may see. An old page
 * gives a fault; a page that is writable but clean is read-only until the first store marks it dirty.
 */
export function hardwareWord(linux: number): number {
  if ((linux & LinuxPte.present) === 0 || (linux & LinuxPte.young) === 0) return 0;
  const writable = (linux & LinuxPte.readOnly) === 0 && (linux & LinuxPte.dirty) !== 0;
  const apx = writable ? 0 : 1 << 9;
  const user = (linux & LinuxPte.user) !== 0;
  const ap = user ? 0b11 : 0b01;
  const device = (linux & LinuxPte.memoryType) === LinuxPte.deviceShared;
  // TEX 001, C, B: write-back, write-allocate. TEX 000, B: shared device.
  const memoryType = device ? 1 << 2 : (0b001 << 6) | (1 << 3) | (1 << 2);
  // set_pte_at gives nG to addresses below TASK_SIZE alone.
  const notGlobal = user ? 1 << 11 : 0;
  const shared = (linux & LinuxPte.shared) === 0 ? 0 : 1 << 10;
  const small = 0b10 | ((linux & LinuxPte.executeNever) === 0 ? 0 : 1);
  return ((linux & 0xfffff000) | notGlobal | shared | apx | memoryType | (ap << 4) | small) >>> 0;
}

/** First-level entry that points to a second-level table of 1 KiB: of a process, or of the kernel (domain 0). */
export const tableDescriptor = (table: number): number => (table | (DOMAIN_USER << 5) | 0b01) >>> 0;
export const kernelTableDescriptor = (table: number): number => (table | 0b01) >>> 0;

/** First-level entry of kernel memory: a section, read/write for PL1 only, global, execute-never for nobody. */
export function kernelSection(pa: number): number {
  const memoryType = (0b001 << 12) | (1 << 3) | (1 << 2);
  const shared = 1 << 16;
  const ap = 0b01 << 10;
  return (pa | shared | memoryType | ap | 0b10) >>> 0;
}

/** First-level entry of device memory: a section, shared device (TEX 000, B), XN, for PL1 only, global. */
export function deviceSection(pa: number): number {
  const [shared, ap, executeNever, bufferable] = [1 << 16, 0b01 << 10, 1 << 4, 1 << 2];
  return (pa | shared | ap | executeNever | bufferable | 0b10) >>> 0;
}
