import type { DescriptorField, DescriptorLayout } from '@tablewalk/contracts';

/**
 * Descriptors with the fields of the manual: ARM ARM DDI 0406C figures B3-14 (level 1 and 2) and B3-15 (level 3),
 * B3.6.2 (attributes). `IGNORED` stands for bits that hardware does not look at. A block has the layout of its
 * level.
 */
type Meaning = (value: number) => string;
const field = (name: string, high: number, low: number, meaning?: Meaning): DescriptorField =>
  meaning === undefined ? { name, high, low } : { name, high, low, meaning };
const flag = (name: string, place: number, clear: string, set: string): DescriptorField =>
  field(name, place, place, (value) => (value === 0 ? clear : set));
const address = (name: string, low: number): DescriptorField =>
  field(name, 39, low, (value) => `0x${(value * 2 ** low).toString(16)}`);
const bits = (name: string, high: number, low: number, meanings: readonly string[]): DescriptorField =>
  field(name, high, low, (value) => meanings[value] ?? '');
const ignored = (high: number, low: number): DescriptorField => field('IGNORED', high, low);
const sbz = (high: number, low: number): DescriptorField => field('UNK/SBZP', high, low);

const upperAttributes: readonly DescriptorField[] = [
  ignored(63, 59),
  field('Reserved for software use', 58, 55),
  flag('XN', 54, 'may be executed where it may be read', 'nobody may execute'),
  flag('PXN', 53, 'PL1 may execute', 'PL1 may not execute'),
  flag('Contiguous hint', 52, 'stands alone', 'one of 16 entries that one TLB entry may hold'),
];
const lowerAttributes: readonly DescriptorField[] = [
  flag('nG', 11, 'global: matches under every ASID', 'not global: matches under its ASID'),
  flag('AF', 10, 'not accessed: access flag fault', 'accessed'),
  bits('SH[1:0]', 9, 8, ['not shareable', 'reserved', 'outer shareable', 'inner shareable']),
  bits('AP[2:1]', 7, 6, [
    'PL1 reads and writes',
    'PL0 and PL1 read and write',
    'PL1 reads',
    'PL0 and PL1 read',
  ]),
  flag('NS', 5, 'Secure memory, in Secure state', 'Non-secure memory'),
  field('AttrIndx[2:0]', 4, 2, (value) => {
    const low = (value % 4) * 8;
    return `Attr${value}, MAIR${value < 4 ? 0 : 1}[${low + 7}:${low}]`;
  }),
];

function leafLayout(type: string, level: number, shift: number): DescriptorLayout {
  return {
    type,
    levels: [level],
    is: [0b11, level === 3 ? 0b11 : 0b01],
    fields: [
      ...upperAttributes,
      sbz(51, 40),
      address(`Output address[39:${shift}]`, shift),
      ...(shift > 12 ? [sbz(shift - 1, 12)] : []),
      ...lowerAttributes,
    ],
  };
}

export const tableLayout: DescriptorLayout = {
  type: 'table',
  levels: [1, 2],
  is: [0b11, 0b11],
  fields: [
    flag('NSTable', 63, 'as the levels below say', 'tables and memory below are Non-secure, in Secure state'),
    bits('APTable[1:0]', 62, 61, [
      'as the levels below say',
      'PL0 may not access',
      'nobody may write',
      'PL0 may not access, nobody may write',
    ]),
    flag('XNTable', 60, 'as the levels below say', 'nobody may execute'),
    flag('PXNTable', 59, 'as the levels below say', 'PL1 may not execute'),
    ignored(58, 52),
    sbz(51, 40),
    address('Next-level table address[39:12]', 12),
    ignored(11, 2),
  ],
};
export const block1Layout = leafLayout('block', 1, 30);
export const block2Layout = leafLayout('block', 2, 21);
export const pageLayout = leafLayout('page', 3, 12);

/** Bit 0 is 0: the other 63 are for software. */
export const invalidLayout: DescriptorLayout = {
  type: 'invalid',
  levels: [1, 2, 3],
  is: [0b1, 0b0],
  fields: [ignored(63, 32), ignored(31, 1)],
};
const reservedLayout: DescriptorLayout = {
  type: 'reserved',
  levels: [3],
  is: [0b11, 0b01],
  fields: [ignored(63, 32), ignored(31, 2)],
};

export const lpaeLayouts: readonly DescriptorLayout[] = [
  invalidLayout,
  tableLayout,
  block1Layout,
  block2Layout,
  pageLayout,
  reservedLayout,
];

export const lpaeLayoutOf = (level: number, lo: number): DescriptorLayout =>
  lpaeLayouts.find(({ levels, is: [mask, value] }) => levels.includes(level) && (lo & mask) === value) ??
  invalidLayout;
