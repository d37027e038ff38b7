import { FaultKind, PageFlag } from '@tablewalk/contracts';
import type { PteView, Walker, WalkResult, WordReader } from '@tablewalk/contracts';

/**
 * Short-descriptor translation tables, as far as Linux uses them: sections and small pages.
 * ARM ARM DDI 0406C, B3.5.1 (descriptors), B3.5.5 (walk), B3.13.3 (fault status); Linux
 * arch/arm/include/asm/pgtable-2level.h (2.6.38 and later) for the Linux word.
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

/** Fault status, DFSR.FS[3:0]. */
export const FaultStatus = {
  translationL1: 0b00101,
  translationL2: 0b00111,
  permissionL1: 0b01101,
  permissionL2: 0b01111,
} as const;

/** Entries of the first level cover 1 MiB; Linux handles them in pairs of 2 MiB. */
export const SECTION_SIZE = 2 ** 20;
export const PAIR_SIZE = 2 ** 21;
/** In a page of second-level tables: two Linux tables, then the two that the hardware reads (PTE_HWTABLE_OFF). */
export const HW_TABLE_OFFSET = 2048;
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

/** TranslationTableWalkSD of the ARM ARM, for TTBCR.N = 0 and SCTLR.AFE = 0. */
export function shortWalker(memory: WordReader): Walker {
  return {
    walk(ttbr, vaLo, _vaHi, result) {
      const l1 = ttbr + (vaLo >>> 20) * 4;
      result.readBytes = 4;
      result.readPa[0] = l1;
      result.reads = 1;
      result.level = 1;
      const first = memory.read32(l1);
      const type = first & 0b11;
      if (type === 0b10) return section(first, result);
      if (type !== 0b01) return translationFault(FaultStatus.translationL1, result);
      const l2 = (first & 0xfffffc00) + ((vaLo >>> 12) & 0xff) * 4;
      const pa = l2 >>> 0;
      result.readPa[1] = pa;
      result.reads = 2;
      result.level = 2;
      const second = memory.read32(pa);
      if ((second & 0b10) === 0) return translationFault(FaultStatus.translationL2, result);
      result.status = 0;
      result.fault = FaultKind.none;
      result.pfn = second >>> 12;
      result.pageShift = 12;
      result.flags = smallPageFlags(second);
    },
    permissionStatus: (level) => (level === 1 ? FaultStatus.permissionL1 : FaultStatus.permissionL2),
  };
}

function section(descriptor: number, result: WalkResult): void {
  result.status = 0;
  result.fault = FaultKind.none;
  result.pfn = (descriptor & 0xfff00000) >>> 12;
  result.pageShift = 20;
  result.flags = sectionFlags(descriptor);
}

function translationFault(status: number, result: WalkResult): void {
  result.status = status;
  result.fault = FaultKind.translation;
}

export function smallPageFlags(descriptor: number): number {
  const executable = (descriptor & 1) === 0 ? PageFlag.execute : 0;
  return access((descriptor >>> 9) & 1, (descriptor >>> 4) & 0b11) | executable | global(descriptor >>> 11);
}
export function sectionFlags(descriptor: number): number {
  const executable = ((descriptor >>> 4) & 1) === 0 ? PageFlag.execute : 0;
  return access((descriptor >>> 15) & 1, (descriptor >>> 10) & 0b11) | executable | global(descriptor >>> 17);
}

/**
 * Who may do what (ARM ARM B3.7.1, AFE = 0). AP 0b10: PL0 reads; 0b11: PL0 reads and, with APX 0, writes;
 * 0b01: nothing for PL0, and PL1 writes with APX 0. Linux without domains uses no 0b10 for writable pages.
 */
function access(apx: number, ap: number): number {
  if (ap === 0b11) return apx === 0 ? PageFlag.user | PageFlag.write : PageFlag.user;
  if (ap === 0b01) return apx === 0 ? PageFlag.write : 0;
  return ap === 0b10 ? PageFlag.user : 0;
}

const global = (notGlobalBit: number): number => ((notGlobalBit & 1) === 0 ? PageFlag.global : 0);
