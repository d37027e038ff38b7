import type { DescriptorLayout } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFields, encodeDescriptor, overlapsOf } from './descriptor-fields.ts';

/** A layout of its own making, with a field over both words, and one that is a whole word. */
const layout: DescriptorLayout = {
  type: 'sample',
  levels: [1],
  is: [0b11, 0b01],
  fields: [
    { name: 'Output address[39:12]', high: 39, low: 12 },
    { name: 'AP[2:1]', high: 7, low: 6, meaning: (value) => (value === 3 ? 'all read' : 'some') },
    { name: 'top', high: 63, low: 60 },
    { name: 'nG', high: 11, low: 11 },
  ],
};

describe('fields of a descriptor', () => {
  it('decodes across the two words, with meanings', () => {
    expect(decodeFields(layout, 0x8765_48c1, 0xf000_00ab)).toEqual([
      { name: 'Output address[39:12]', high: 39, low: 12, value: 0xab_87654, meaning: '' },
      { name: 'AP[2:1]', high: 7, low: 6, value: 3, meaning: 'all read' },
      { name: 'top', high: 63, low: 60, value: 15, meaning: '' },
      { name: 'nG', high: 11, low: 11, value: 1, meaning: '' },
    ]);
  });

  it('encodes what it decodes, for any values', () => {
    const values = fc.record({
      'Output address[39:12]': fc.nat(2 ** 28 - 1),
      'AP[2:1]': fc.nat(3),
      top: fc.nat(15),
      nG: fc.nat(1),
    });
    fc.assert(
      fc.property(values, (each) => {
        const { lo, hi } = encodeDescriptor(layout, each);
        expect(lo & 0b11).toBe(0b01);
        expect(Object.fromEntries(decodeFields(layout, lo, hi).map((f) => [f.name, f.value]))).toEqual(each);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('refuses a field that is not there, a value that does not fit, and another type', () => {
    expect(() => encodeDescriptor(layout, { XN: 1 })).toThrow('a sample has no field XN');
    expect(() => encodeDescriptor(layout, { 'AP[2:1]': 4 })).toThrow('AP[2:1] of a sample has 2 bits');
    expect(() => encodeDescriptor(layout, { nG: 0.5 })).toThrow(RangeError);
    const overType = { ...layout, fields: [{ name: 'bit 1', high: 1, low: 1 }] };
    expect(() => encodeDescriptor(overType, { 'bit 1': 1 })).toThrow('these values make it no sample');
  });

  it('finds fields that lie over each other', () => {
    expect(overlapsOf(layout)).toEqual([]);
    const twice = { ...layout, fields: [...layout.fields, { name: 'S', high: 12, low: 11 }] };
    expect(overlapsOf(twice)).toEqual([
      'S and nG both have bit 11',
      'S and Output address[39:12] both have bit 12',
    ]);
  });

  it('has no exact value for a field of more than 53 bits', () => {
    const wide = { ...layout, fields: [{ name: 'all', high: 63, low: 2 }] };
    expect(() => decodeFields(wide, 0, 0)).toThrow('no exact value');
  });
});
