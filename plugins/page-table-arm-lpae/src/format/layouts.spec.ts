import { decodeFields, encodeDescriptor, overlapsOf } from '@tablewalk/architecture';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armLpaeFormat } from './index.ts';
import { block1Layout, block2Layout, pageLayout, tableLayout } from './layouts.ts';

const { layouts, layoutOf } = armLpaeFormat;
const named = layouts.map((layout) => [`${layout.type} ${layout.levels.join(',')}`, layout] as const);
const word = fc.integer({ min: 0, max: 0xffff_ffff });

describe('layouts of long descriptors', () => {
  it.each(named)(
    '%s: no two fields share a bit, and with the type bits all 64 are there',
    (_name, layout) => {
      expect(overlapsOf(layout)).toEqual([]);
      const bits = layout.fields.reduce((sum, { high, low }) => sum + high - low + 1, 0);
      expect(bits + [...layout.is[0].toString(2)].filter((bit) => bit === '1').length).toBe(64);
    },
  );

  it.each(named)('%s: every field that is encoded is decoded again', (_name, layout) => {
    for (const field of layout.fields)
      fc.assert(
        fc.property(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (share) => {
          // The first of fields with the same name is the one that encoding finds.
          if (layout.fields.find(({ name }) => name === field.name) !== field) return;
          const value = Math.floor(share * 2 ** (field.high - field.low + 1));
          const { lo, hi } = encodeDescriptor(layout, { [field.name]: value });
          for (const level of layout.levels) expect(layoutOf(level, lo, hi)).toBe(layout);
          const decoded = decodeFields(layout, lo, hi).filter(({ value: other }) => other !== 0);
          expect(decoded.map(({ name, value: other }) => [name, other])).toEqual(
            value === 0 ? [] : [[field.name, value]],
          );
        }),
        { seed: 1, numRuns: 20 },
      );
  });

  it('every pair of words has one layout at every level', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3), word, word, (level, lo, hi) => {
        const { is, levels } = layoutOf(level, lo, hi);
        expect(levels).toContain(level);
        expect((lo & is[0]) >>> 0).toBe(is[1]);
      }),
      { seed: 2 },
    );
  });

  it('descriptors by hand, from the figures of the manual', () => {
    expect(
      encodeDescriptor(tableLayout, { NSTable: 1, 'Next-level table address[39:12]': 0x14019b }),
    ).toEqual({
      lo: 0x4019_b003,
      hi: 0x8000_0001,
    });
    expect(encodeDescriptor(block1Layout, { 'Output address[39:30]': 0x201, AF: 1, 'AP[2:1]': 1 })).toEqual({
      lo: 0x4000_0441,
      hi: 0x80,
    });
    expect(encodeDescriptor(block2Layout, { 'Output address[39:21]': 0x7ffff, XN: 1, 'SH[1:0]': 3 })).toEqual(
      {
        lo: 0xffe0_0301,
        hi: 0x0040_00ff,
      },
    );
    expect(encodeDescriptor(pageLayout, { 'Output address[39:12]': 1, 'AttrIndx[2:0]': 7, PXN: 1 })).toEqual({
      lo: 0x0000_101f,
      hi: 0x0020_0000,
    });
  });

  it('says what values mean', () => {
    const said = decodeFields(pageLayout, 0x8012_3fdf, 0x0040_0000).map(({ name, meaning }) => [
      name,
      meaning,
    ]);
    expect(Object.fromEntries(said)).toMatchObject({
      XN: 'nobody may execute',
      'Output address[39:12]': '0x80123000',
      'SH[1:0]': 'inner shareable',
      'AP[2:1]': 'PL0 and PL1 read',
      'AttrIndx[2:0]': 'Attr7, MAIR1[31:24]',
    });
  });
});
