import type { PteView } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { addressOf, decodePte, deviceBlock, devicePte, Hi, kernelBlock, linuxPte } from './linux-bits.ts';
import { Lo, setPteExt, tableEntry } from './linux-bits.ts';
import type { Generation, Word64 } from './linux-bits.ts';

const modern: Generation = { generation: 'modern', truncatedPredicates: false };
const v33: Generation = { generation: 'v3.3', truncatedPredicates: false };
const PFN = 0x1_8012_3;
const page = (young: boolean, dirty: boolean, write: boolean): PteView => ({ pfn: PFN, young, dirty, write });
const whole = ({ lo, hi }: Word64): bigint => (BigInt(hi) << 32n) | BigInt(lo);
const bitsOf = (word: Word64): string => (whole(word) & ~0xff_ffff_f000n).toString(16);
const ALL = [false, true].flatMap((young) =>
  [false, true].flatMap((dirty) => [false, true].map((write) => page(young, dirty, write))),
);

describe('words of Linux (spec/page-tables.md, 5.2)', () => {
  it.each([
    // As in the tables of a Debian kernel 6.1 for armhf with LPAE (golden/linux-arm, lp-busy), XN left out.
    [true, true, true, 'a0000000000f5f'],
    [true, false, true, '20000000000fdf'],
    [true, false, false, '420000000000fdf'],
    [true, true, false, '4a0000000000fdf'],
    [false, false, true, '20000000000bdf'],
  ])('a user page: young %s, dirty %s, write %s', (young, dirty, write, bits) => {
    const word = setPteExt(linuxPte(page(young, dirty, write), modern), modern);
    expect(bitsOf(word)).toBe(bits);
    expect(addressOf(word)).toBe(PFN * 4096);
  });

  it("the kernel's: a block of lowmem, a block and a page of device memory, a table and L_PGD_SWAPPER", () => {
    expect(whole(kernelBlock(0x4020_0000)).toString(16)).toBe('4020071d');
    expect(whole(deviceBlock(0x4020_0000)).toString(16)).toBe('40000040200711');
    expect(whole(devicePte(0x9000)).toString(16)).toBe('c0000009000713');
    expect(whole(tableEntry(0x4020_7000)).toString(16)).toBe('40207003');
    expect(whole(tableEntry(0x4020_7000, Hi.swapper)).toString(16)).toBe('80000040207003');
  });

  it('modern: what is set is read back, whatever hardware was told', () => {
    for (const pte of ALL) expect(decodePte(setPteExt(linuxPte(pte, modern), modern), modern)).toEqual(pte);
  });

  it('set_pte_ext gives AP[2] to what is clean or read-only, and to nothing else', () => {
    for (const pte of ALL) {
      const { lo } = setPteExt(linuxPte(pte, modern), modern);
      expect((lo & Lo.ap2) !== 0).toBe(!(pte.dirty && pte.write));
    }
  });

  it('set_pte_ext takes VALID from PROT_NONE, which stays present for software; other words it leaves', () => {
    const { lo, hi } = linuxPte(page(true, true, true), modern);
    const none = { lo, hi: hi | Hi.none };
    expect(setPteExt(none, modern)).toEqual({ lo: lo - Lo.valid, hi: none.hi });
    expect(decodePte(setPteExt(none, modern), modern)).toEqual(page(true, true, true));
    for (const generation of [modern, v33])
      expect(setPteExt({ lo: 0x1000, hi: 0 }, generation)).toEqual({ lo: 0x1000, hi: 0 });
    expect(decodePte({ lo: 0x1000, hi: 0 }, modern)).toBeUndefined();
  });

  it('HB-24b, v3.3: RDONLY is AP[2], so what was writable and clean is read-only ever after', () => {
    for (const pte of ALL) {
      const word = setPteExt(linuxPte(pte, v33), v33);
      expect(decodePte(word, v33)).toEqual({ ...pte, write: pte.write && pte.dirty });
      expect(word.hi & Hi.readOnly).toBe(0);
    }
  });

  it('HB-24a, truncated predicates: dirty is bit 55, and is never seen', () => {
    for (const generation of [modern, v33])
      for (const pte of ALL) {
        const word = setPteExt(linuxPte(pte, generation), generation);
        const truncated = decodePte(word, { ...generation, truncatedPredicates: true });
        expect(truncated).toEqual({ ...decodePte(word, generation), dirty: false });
      }
  });
});
