import { encodeDescriptor } from '@tablewalk/architecture';
import { newWalk } from '@tablewalk/contracts';
import type { DescriptorLayout, MemoryAttributes, Registers } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { armShortFormat } from './index.ts';

const TRE = 1n << 28n;

/** The same attributes in a section, a large page and a small page. */
function attributesOf(registers: Registers, texcb: number, s = 0): MemoryAttributes {
  const regime = armShortFormat.regime(registers);
  const answers = ['section', 'large page', 'small page'].map((type) => {
    const layout = armShortFormat.layouts.find((each) => each.type === type) as DescriptorLayout;
    const values = { 'TEX[2:0]': texcb >> 2, C: (texcb >> 1) & 1, B: texcb & 1, S: s };
    const walk = newWalk();
    regime.begin(walk, 0, 0);
    if (layout.levels[0] === 2) regime.descend(walk, 0x8020_0001, 0);
    regime.descend(walk, encodeDescriptor(layout, values).lo, 0);
    return regime.attributes(walk);
  });
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  return answers[0] as MemoryAttributes;
}

const told = (attributes: MemoryAttributes): string => {
  if (attributes.type !== 'normal') return attributes.type;
  const { inner, outer, shareable, outerShareable } = attributes;
  return `${inner} ${outer}${shareable ? (outerShareable ? ' outer' : ' inner') : ''}`;
};

describe('TEX, C and B without remap (B3.8.2)', () => {
  it.each([
    [0b000_00, 'strongly-ordered'],
    [0b000_01, 'device'],
    [0b000_10, 'WT WT'],
    [0b000_11, 'WB WB'],
    [0b001_00, 'NC NC'],
    [0b001_01, 'reserved'],
    [0b001_10, 'reserved'],
    [0b001_11, 'WBWA WBWA'],
    [0b010_00, 'device'],
    [0b010_01, 'reserved'],
    [0b011_00, 'reserved'],
    [0b100_00, 'NC NC'],
    // Inner by C and B, outer by TEX[1:0].
    [0b101_00, 'NC WBWA'],
    [0b110_01, 'WBWA WT'],
    [0b111_10, 'WT WB'],
  ])('%#: TEX:C:B %i is %s', (texcb, expected) => {
    expect(told(attributesOf({}, texcb))).toBe(expected);
    const shared = /^[A-Z]/.test(expected) ? `${expected} outer` : expected;
    expect(told(attributesOf({}, texcb, 1))).toBe(shared);
  });
});

describe('TEX remap (B3.8.3)', () => {
  /** PRRR and NMRR of Linux (arch/arm/mm/proc-v7-2level.S), worked out by hand. */
  const linux = { SCTLR: TRE, PRRR: 0xff0a_81a8n, NMRR: 0x40e0_40e0n };

  it('as Linux has it: what L_PTE_MT_* stand for', () => {
    const regions = Array.from({ length: 8 }, (_, region) => told(attributesOf(linux, region)));
    expect(regions).toEqual([
      'strongly-ordered', // UNCACHED
      'NC NC', // BUFFERABLE
      'WT WT', // WRITETHROUGH
      'WB WB', // WRITEBACK
      'device', // DEV_SHARED
      'strongly-ordered', // 5 is not used.
      'reserved', // IMPLEMENTATION DEFINED
      'WBWA WBWA', // WRITEALLOC
    ]);
    // NS1 is 1, NS0 is 0, and every NOS is 1.
    expect(told(attributesOf(linux, 7, 1))).toBe('WBWA WBWA inner');
  });

  it('TEX[2:1] is for the operating system', () => {
    for (const tex21 of [0b01000, 0b10000, 0b11000])
      expect(attributesOf(linux, tex21 | 3, 1)).toEqual(attributesOf(linux, 3, 1));
  });

  it('NS0 and NS1 say what S means, NOSn whether that is Outer Shareable, NMRR inner and outer apart', () => {
    // Region 2 normal; NS0 1, NS1 0; NOS2 0. Inner of region 2 is 01, outer 10.
    const swapped = { SCTLR: TRE, PRRR: (0b10n << 4n) | (1n << 18n), NMRR: (0b01n << 4n) | (0b10n << 20n) };
    expect(told(attributesOf(swapped, 2, 0))).toBe('WBWA WT outer');
    expect(told(attributesOf(swapped, 2, 1))).toBe('WBWA WT');
    const reserved = { SCTLR: TRE, PRRR: 0b11n << 4n };
    expect(told(attributesOf(reserved, 2))).toBe('reserved');
  });

  it('PRRR and NMRR that are absent remap to what there is without remap, where that is normal memory', () => {
    for (const texcb of [0b00000, 0b00001, 0b00010, 0b00011, 0b00100, 0b00111])
      for (const s of [0, 1])
        expect(attributesOf({ SCTLR: TRE }, texcb, s)).toEqual(attributesOf({}, texcb, s));
  });
});
