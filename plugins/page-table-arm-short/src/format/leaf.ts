/**
 * What a walk carries of the descriptors that it read: `Walk.leaf` and `Walk.inherited` of this format.
 *
 *   leaf:  [2:0] AP[2:0]  3 XN  4 PXN  5 nG  6 S  7 NS  8 B  9 C  [12:10] TEX  [16:13] Domain
 *   inherited, of a page table:         4 PXN            7 NS                   [16:13] Domain
 */
export const Leaf = { xn: 1 << 3, pxn: 1 << 4, notGlobal: 1 << 5, shareable: 1 << 6, ns: 1 << 7 } as const;

export const apOf = (leaf: number): number => leaf & 0b111;
/** TEX[2:0]:C:B, five bits. */
export const texcbOf = (leaf: number): number => (leaf >>> 8) & 0b11111;
export const domainOf = (leaf: number): number => leaf >>> 13;

/** Each of a field `width` bits wide at bit `from` of a descriptor, moved to bit `to`. */
const moved = (descriptor: number, from: number, width: number, to: number): number =>
  ((descriptor >>> from) & ((1 << width) - 1)) << to;

export const inheritedOf = (pageTable: number, hasPxn: boolean): number =>
  (hasPxn ? moved(pageTable, 2, 1, 4) : 0) | moved(pageTable, 3, 1, 7) | moved(pageTable, 5, 4, 13);

/** Domain of a supersection is 0: its bits are of the address. */
export const sectionLeaf = (section: number, hasPxn: boolean, supersection: boolean): number =>
  moved(section, 10, 2, 0) |
  moved(section, 15, 1, 2) |
  moved(section, 4, 1, 3) |
  (hasPxn ? moved(section, 0, 1, 4) : 0) |
  moved(section, 17, 1, 5) |
  moved(section, 16, 1, 6) |
  moved(section, 19, 1, 7) |
  moved(section, 2, 2, 8) |
  moved(section, 12, 3, 10) |
  (supersection ? 0 : moved(section, 5, 4, 13));

export const smallPageLeaf = (page: number, inherited: number): number =>
  pageLeaf(page) | moved(page, 0, 1, 3) | moved(page, 6, 3, 10) | inherited;

export const largePageLeaf = (page: number, inherited: number): number =>
  pageLeaf(page) | moved(page, 15, 1, 3) | moved(page, 12, 3, 10) | inherited;

/** What pages of both sizes have in the same bits. */
const pageLeaf = (page: number): number =>
  moved(page, 4, 2, 0) |
  moved(page, 9, 1, 2) |
  moved(page, 11, 1, 5) |
  moved(page, 10, 1, 6) |
  moved(page, 2, 2, 8);
