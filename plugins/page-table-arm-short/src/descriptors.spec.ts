import { FaultKind, PageFlag, walkResult } from '@tablewalk/contracts';
import type { WalkResult } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { decodeLinux, encodeLinux, hardwareWord, kernelSection, LinuxPte } from './descriptors.ts';
import { tableDescriptor } from './descriptors.ts';
import { shortWalker } from './linux-walks.ts';

const { user, write, execute, global } = PageFlag;

/** Words decoded by hand from ARM ARM DDI 0406C B3.5.1 and spec/page-tables.md, 1.2 to 1.6. */
describe('descriptors', () => {
  it('Linux word: L_PTE_* bits of spec/page-tables.md, 1.5', () => {
    const page = { pfn: 0x80123, young: true, dirty: true, write: true };
    // PRESENT 1, YOUNG 2, write-allocate 7 << 2, DIRTY 0x40, USER 0x100, SHARED 0x400.
    expect(encodeLinux(page)).toBe(0x8012_355f);
    expect(encodeLinux({ ...page, dirty: false, write: false })).toBe(0x8012_359f);
    for (const young of [false, true])
      for (const dirty of [false, true])
        for (const mayWrite of [false, true]) {
          const each = { pfn: 0xfffff, young, dirty, write: mayWrite };
          expect(decodeLinux(encodeLinux(each))).toEqual(each);
        }
    expect(decodeLinux(0x8012_355e)).toBeUndefined();
  });

  it('small page: nG, S, TEX 001 C B, AP; a page of user space that is young, writable and dirty', () => {
    // [31:12] 80123, nG bit 11, S bit 10, APX 0, TEX 001 in [8:6], AP 11 in [5:4], C, B, type 10.
    expect(hardwareWord(0x8012_355f)).toBe(0x8012_3c7e);
  });

  it.each([
    // Y U W D of spec/page-tables.md, 1.6, and APX AP[1:0] for v6 and v7 without domains.
    { young: 0, user: 1, writable: 1, dirty: 1, access: undefined },
    { young: 1, user: 0, writable: 0, dirty: 0, access: 0b101 },
    { young: 1, user: 0, writable: 1, dirty: 0, access: 0b101 },
    { young: 1, user: 0, writable: 1, dirty: 1, access: 0b001 },
    { young: 1, user: 1, writable: 0, dirty: 0, access: 0b111 },
    { young: 1, user: 1, writable: 0, dirty: 1, access: 0b111 },
    { young: 1, user: 1, writable: 1, dirty: 0, access: 0b111 },
    { young: 1, user: 1, writable: 1, dirty: 1, access: 0b011 },
  ])('set_pte_ext: young $young, user $user, writable $writable, dirty $dirty', (row) => {
    const linux =
      LinuxPte.present |
      (row.young === 1 ? LinuxPte.young : 0) |
      (row.user === 1 ? LinuxPte.user : 0) |
      (row.writable === 1 ? 0 : LinuxPte.readOnly) |
      (row.dirty === 1 ? LinuxPte.dirty : 0);
    const word = hardwareWord(linux);
    if (row.access === undefined) expect(word).toBe(0);
    else expect((((word >>> 9) & 1) << 2) | ((word >>> 4) & 3)).toBe(row.access);
  });

  it('first level: a table in the user domain, and a section of kernel memory', () => {
    expect(tableDescriptor(0x8020_0800)).toBe(0x8020_0821);
    // S bit 16, TEX 001 in [14:12], AP 01 in [11:10], domain 0, C, B, type 10; nG clear.
    expect(kernelSection(0x8010_0000)).toBe(0x8011_140e);
  });
});

const TTBR = 0x8000_4000;
const words: Readonly<Record<number, number>> = {
  [TTBR]: 0x8020_0821,
  [TTBR + 4]: 0x8020_0c21,
  [TTBR + 2 * 4]: 0x8020_0c23, // type 11: no PXN here, so reserved
  [TTBR + 0xc01 * 4]: 0x8011_140e,
  [TTBR + 0xfff * 4]: 0x8010_1c12, // a section of its own making: TEX 001, AP 11, XN
  [0x8020_0800 + 8 * 4]: 0x8012_3c7e,
  [0x8020_0800 + 9 * 4]: 0x8012_4e7e,
  [0x8020_0800 + 10 * 4]: 0x8012_5c7f, // bit 0 of a small page is XN
  [0x8020_0c00 + 255 * 4]: 0x8012_602e, // AP 10: PL0 may read; nG clear
};

function walk(va: number): Omit<WalkResult, 'readPa'> & { readPa: number[] } {
  const result = walkResult();
  shortWalker({ read32: (pa) => words[pa] ?? 0 }).walk(TTBR, va, 0, result);
  return { ...result, readPa: [...result.readPa.subarray(0, result.reads)] };
}

const page = { status: 0, fault: FaultKind.none, level: 2, pageShift: 12, reads: 2, readBytes: 4 };

/** TranslationTableWalkSD, ARM ARM DDI 0406C B3.19.6, TTBCR.N = 0. */
describe('table walk', () => {
  it('reads the first level by VA[31:20] and the second by VA[19:12]', () => {
    expect(walk(0x0000_8123)).toEqual({
      ...page,
      pfn: 0x80123,
      flags: user | write | execute,
      readPa: [0x8000_4000, 0x8020_0820],
    });
    expect(walk(0x001f_fffc)).toEqual({
      ...page,
      pfn: 0x80126,
      flags: user | execute | global,
      readPa: [0x8000_4004, 0x8020_0ffc],
    });
  });

  it('a clean page is read-only, an XN page is not for execution', () => {
    expect(walk(0x9000).flags).toBe(user | execute);
    expect(walk(0xa000).flags).toBe(user | write);
  });

  it('a section covers 1 MiB after one read; kernel memory is global, writable and nothing for PL0', () => {
    const section = { status: 0, fault: FaultKind.none, level: 1, pageShift: 20, reads: 1, readBytes: 4 };
    expect(walk(0xc012_3456)).toEqual({
      ...section,
      pfn: 0x80100,
      flags: write | execute | global,
      readPa: [0x8000_7004],
    });
    expect(walk(0xfff0_0000)).toEqual({
      ...section,
      pfn: 0x80100,
      flags: user | write | global,
      readPa: [0x8000_7ffc],
    });
  });

  it.each([
    { va: 0x0030_0000, what: 'no first-level entry', status: 0b00101, level: 1, reads: 1 },
    { va: 0x0020_0000, what: 'type 11 in the first level', status: 0b00101, level: 1, reads: 1 },
    { va: 0x0000_b000, what: 'no second-level entry', status: 0b00111, level: 2, reads: 2 },
  ])('fault: $what', ({ va, status, level, reads }) => {
    expect(walk(va)).toMatchObject({ fault: FaultKind.translation, status, level, reads });
  });

  it('tells permission faults of the two levels apart (B3.13.3)', () => {
    const walker = shortWalker({ read32: () => 0 });
    expect([walker.permissionStatus(1), walker.permissionStatus(2)]).toEqual([0b01101, 0b01111]);
  });
});
