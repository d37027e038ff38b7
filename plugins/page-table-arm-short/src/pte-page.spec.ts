import { describe, expect, it } from 'vitest';
import { LinuxPte } from './descriptors.ts';
import { otherWord, ptePageOf } from './pte-page.ts';

const [now, before] = [ptePageOf('linux-first'), ptePageOf('hw-first')];
const page = { pfn: 0x80123, young: true, dirty: true, write: true };

/** spec/page-tables.md, 1.1 and 1.5. */
describe('the page of second-level tables', () => {
  it('has the tables of Linux first from 2.6.38 on, those of the hardware first before', () => {
    expect([now.linuxTables, now.hwTables, before.linuxTables, before.hwTables]).toEqual([0, 2048, 2048, 0]);
    expect([otherWord(0x8020_0004), otherWord(0x8020_0804)]).toEqual([0x8020_0804, 0x8020_0004]);
  });

  it('L_PTE_WRITE and L_PTE_EXEC before 2.6.38, L_PTE_RDONLY and L_PTE_XN from then on', () => {
    // PRESENT 1, YOUNG 2, write-allocate 7 << 2, DIRTY 0x40, USER 0x100, SHARED 0x400.
    expect(now.encode(page)).toBe(0x8012_355f);
    expect(before.encode(page)).toBe(0x8012_37df);
    expect(now.encode({ ...page, write: false })).toBe(0x8012_35df);
    expect(before.encode({ ...page, write: false })).toBe(0x8012_375f);
    // Device memory is XN: no L_PTE_EXEC.
    expect([now.encodeDevice(0x40000), before.encodeDevice(0x40000)].map((word) => word & 0x280)).toEqual([
      LinuxPte.executeNever,
      LinuxPte.readOnly,
    ]);
  });

  it('is the same for the hardware, and for who reads what was written', () => {
    for (const young of [false, true])
      for (const dirty of [false, true])
        for (const write of [false, true]) {
          const each = { pfn: 0xfffff, young, dirty, write };
          for (const layout of [now, before]) expect(layout.decode(layout.encode(each))).toEqual(each);
          expect(before.hardwareWord(before.encode(each))).toBe(now.hardwareWord(now.encode(each)));
        }
    expect(before.hardwareWord(before.encodeDevice(7))).toBe(now.hardwareWord(now.encodeDevice(7)));
    expect(before.hardwareWord(before.encodeKernelReadOnly(7))).toBe(
      now.hardwareWord(now.encodeKernelReadOnly(7)),
    );
    expect([now.decode(0), before.decode(0), now.hardwareWord(0), before.hardwareWord(0)]).toEqual([
      undefined,
      undefined,
      0,
      0,
    ]);
  });
});
