import { decodeFields, encodeDescriptor, overlapsOf } from '@tablewalk/architecture';
import { newWalk } from '@tablewalk/contracts';
import type { DescriptorLayout } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armShortFormat } from './index.ts';

const { layouts, layoutOf } = armShortFormat;
const named = (type: string): DescriptorLayout =>
  layouts.find((layout) => layout.type === type) as DescriptorLayout;

/** Values for every field of a layout. */
const valuesOf = ({ fields }: DescriptorLayout): fc.Arbitrary<Record<string, number>> =>
  fc.record(
    Object.fromEntries(fields.map(({ name, high, low }) => [name, fc.nat(2 ** (high - low + 1) - 1)])),
  );

describe('layouts of descriptors', () => {
  it.each(layouts.map((layout) => [layout.type, layout] as const))(
    '%s: fields have bits of their own',
    (_type, layout) => {
      expect(overlapsOf(layout)).toEqual([]);
      const [mask] = layout.is;
      for (const { low, high } of layout.fields)
        expect([low > high, high > 31, (mask >>> low) & 1]).toEqual([false, false, 0]);
      expect(new Set(layout.fields.map(({ name }) => name)).size).toBe(layout.fields.length);
    },
  );

  it.each(layouts.map((layout) => [layout.type, layout] as const))(
    '%s: decodes what it encodes',
    (_type, layout) => {
      fc.assert(
        fc.property(valuesOf(layout), (values) => {
          const { lo, hi } = encodeDescriptor(layout, values);
          expect(hi).toBe(0);
          for (const level of layout.levels) expect(layoutOf(level, lo, hi)).toBe(layout);
          expect(
            Object.fromEntries(decodeFields(layout, lo, hi).map(({ name, value }) => [name, value])),
          ).toEqual(values);
        }),
        { seed: 1, numRuns: 100 },
      );
    },
  );

  it('every word is of one type, and its fields and type bits are the whole word', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2), fc.integer({ min: 0, max: 0xffff_ffff }), (level, word) => {
        const layout = layoutOf(level, word, 0);
        const values = Object.fromEntries(
          decodeFields(layout, word, 0).map(({ name, value }) => [name, value]),
        );
        expect(encodeDescriptor(layout, values).lo).toBe(word);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('says what fields mean', () => {
    const meanings = (level: number, word: number): Record<string, string> =>
      Object.fromEntries(
        decodeFields(layoutOf(level, word, 0), word, 0).map(({ name, meaning }) => [name, meaning]),
      );
    // The kernel's section of descriptors.spec.ts.
    expect(meanings(1, 0x8011_140e)).toMatchObject({
      'Section base address, PA[31:20]': '0x80100000',
      nG: 'global: matches under every ASID',
      S: 'shareable',
      'AP[2]': 'writes as AP[1:0] says',
      'AP[1:0]': 'PL1 only; with AFE: accessed',
      Domain: 'DACR[1:0]',
      XN: 'may be executed where it may be read',
    });
    expect(meanings(1, 0x80c4_0d62)).toMatchObject({
      'Supersection base address, PA[31:24]': '0x80000000',
      'Extended base address, PA[35:32]': '0xc00000000',
      'Extended base address, PA[39:36]': '0xb000000000',
    });
  });

  it('the walk reads the fields that the layouts name', () => {
    const walk = newWalk();
    const leafOf = (first: number, second: number): number => {
      const regime = armShortFormat.regime({});
      regime.begin(walk, 0, 0);
      regime.descend(walk, first, 0);
      if (layoutOf(1, first, 0).type === 'page table') regime.descend(walk, second, 0);
      return walk.leaf;
    };
    // One field at a time moves the leaf, so that no name is of a bit that nobody reads.
    const table = encodeDescriptor(named('page table'), {}).lo;
    const unread = /IGNORED|IMPLEMENTATION|base address/;
    for (const type of ['section', 'supersection', 'large page', 'small page']) {
      const layout = named(type);
      const at = (values: Record<string, number>): number => {
        const { lo } = encodeDescriptor(layout, values);
        return layout.levels[0] === 1 ? leafOf(lo, 0) : leafOf(table, lo);
      };
      for (const { name } of layout.fields)
        if (!unread.test(name)) expect(at({ [name]: 1 }), `${type} ${name}`).not.toBe(at({}));
    }
    for (const { name } of named('page table').fields) {
      if (unread.test(name)) continue;
      const page = encodeDescriptor(named('small page'), {}).lo;
      expect(leafOf(encodeDescriptor(named('page table'), { [name]: 1 }).lo, page), name).not.toBe(
        leafOf(table, page),
      );
    }
  });
});
