import type { DescriptorField, DescriptorLayout } from '@tablewalk/contracts';

/**
 * Descriptors of both levels with the fields of the manual: ARM ARM DDI 0406C figures B3-4 (first level) and B3-5
 * (second level). `IGNORED` stands for bits without a name that hardware does not look at.
 */
type Meaning = (value: number) => string;
const field = (name: string, high: number, low: number, meaning?: Meaning): DescriptorField =>
  meaning === undefined ? { name, high, low } : { name, high, low, meaning };
const flag = (name: string, place: number, clear: string, set: string): DescriptorField =>
  field(name, place, place, (value) => (value === 0 ? clear : set));
const address = (name: string, high: number, low: number, shift: number): DescriptorField =>
  field(name, high, low, (value) => `0x${(value * 2 ** shift).toString(16)}`);
const bits = (name: string, high: number, low: number, meanings: readonly string[]): DescriptorField =>
  field(name, high, low, (value) => meanings[value] ?? '');

const XN = 'nobody may execute';
const xn = (place: number): DescriptorField => flag('XN', place, 'may be executed where it may be read', XN);
const nG = (place: number): DescriptorField =>
  flag('nG', place, 'global: matches under every ASID', 'not global: matches under its ASID');
const s = (place: number): DescriptorField => flag('S', place, 'not shareable', 'shareable');
const ap2 = (place: number): DescriptorField => flag('AP[2]', place, 'writes as AP[1:0] says', 'read-only');
/** Of the two readings the first is SCTLR.AFE 0. With AFE 1, AP[0] is the access flag. */
const ap10 = (low: number): DescriptorField =>
  bits('AP[1:0]', low + 1, low, [
    'no access; with AFE: PL1 only, not accessed',
    'PL1 only; with AFE: accessed',
    'PL0 reads, PL1 writes; with AFE: PL0 and PL1, not accessed',
    'PL0 and PL1; with AFE: accessed',
  ]);
const OUTER = ['non-cacheable', 'write-back, write-allocate', 'write-through', 'write-back'];
const LOW_TEX = ['memory type by C, B', 'memory type by C, B', 'device when C, B are 0', 'reserved'];
/** Without TEX remap; with it TEX[2:1] is for the operating system. */
const tex = (low: number): DescriptorField =>
  field('TEX[2:0]', low + 2, low, (value) =>
    value < 4 ? (LOW_TEX[value] ?? '') : `normal memory, outer ${OUTER[value & 3]}, inner by C, B`,
  );
const c = flag('C', 3, 'not cacheable (with TEX 0 or 1)', 'cacheable (with TEX 0 or 1)');
const b = flag('B', 2, 'not bufferable (with TEX 0 or 1)', 'bufferable (with TEX 0 or 1)');
const ns = (place: number): DescriptorField =>
  flag('NS', place, 'Secure memory, in Secure state', 'Non-secure memory');
const pxn = (place: number): DescriptorField => flag('PXN', place, 'PL1 may execute', 'PL1 may not execute');
const domain = field('Domain', 8, 5, (value) => `DACR[${2 * value + 1}:${2 * value}]`);
const ignored = (high: number, low: number): DescriptorField => field('IGNORED', high, low);
const implementationDefined = field('IMPLEMENTATION DEFINED', 9, 9);

/** Everything of a section but its address and its domain. */
const SECTION_FIELDS: readonly DescriptorField[] = [
  ns(19),
  nG(17),
  s(16),
  ap2(15),
  tex(12),
  ap10(10),
  implementationDefined,
  xn(4),
  c,
  b,
  pxn(0),
];
/** What pages have in the same bits. */
const PAGE_FIELDS: readonly DescriptorField[] = [nG(11), s(10), ap2(9), ap10(4), c, b];

const faultLayout: DescriptorLayout = {
  type: 'fault',
  levels: [1, 2],
  is: [0b11, 0b00],
  fields: [ignored(31, 2)],
};

const byPlace = (fields: readonly DescriptorField[]): readonly DescriptorField[] =>
  [...fields].sort((one, other) => other.high - one.high);

export const pageTableLayout: DescriptorLayout = {
  type: 'page table',
  levels: [1],
  is: [0b11, 0b01],
  fields: [
    address('Page table base address, bits[31:10]', 31, 10, 10),
    implementationDefined,
    domain,
    ignored(4, 4),
    ns(3),
    pxn(2),
  ],
};
export const sectionLayout: DescriptorLayout = {
  type: 'section',
  levels: [1],
  is: [(1 << 18) | 0b10, 0b10],
  fields: byPlace([address('Section base address, PA[31:20]', 31, 20, 20), domain, ...SECTION_FIELDS]),
};
export const supersectionLayout: DescriptorLayout = {
  type: 'supersection',
  levels: [1],
  is: [(1 << 18) | 0b10, (1 << 18) | 0b10],
  fields: byPlace([
    address('Supersection base address, PA[31:24]', 31, 24, 24),
    address('Extended base address, PA[35:32]', 23, 20, 32),
    address('Extended base address, PA[39:36]', 8, 5, 36),
    ...SECTION_FIELDS,
  ]),
};
export const largePageLayout: DescriptorLayout = {
  type: 'large page',
  levels: [2],
  is: [0b11, 0b01],
  fields: byPlace([
    address('Large page base address, PA[31:16]', 31, 16, 16),
    xn(15),
    tex(12),
    ignored(8, 6),
    ...PAGE_FIELDS,
  ]),
};
export const smallPageLayout: DescriptorLayout = {
  type: 'small page',
  levels: [2],
  is: [0b10, 0b10],
  fields: byPlace([address('Small page base address, PA[31:12]', 31, 12, 12), tex(6), xn(0), ...PAGE_FIELDS]),
};

export const shortLayouts: readonly DescriptorLayout[] = [
  faultLayout,
  pageTableLayout,
  sectionLayout,
  supersectionLayout,
  largePageLayout,
  smallPageLayout,
];

/**
 * The layout of a descriptor at level 1 or 2. First-level type 0b11 is a section or supersection with PXN, as on
 * hardware that has it; on other hardware the walk ends there with a translation fault.
 */
export function shortLayoutOf(level: number, lo: number): DescriptorLayout {
  return (
    shortLayouts.find(({ levels, is: [mask, value] }) => levels.includes(level) && (lo & mask) === value) ??
    faultLayout
  );
}
