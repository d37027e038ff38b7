/**
 * A block of references. Numbers have their low byte first.
 *
 *     u32             n, how many references (to REFERENCES_PER_BLOCK_MAX)
 *     u32 x 5         how many have a distance of 1, 2 and 4 bytes, an absolute address, an escape
 *     u8              d, entries of the dictionary (to 255)
 *     d x (u8, u8, u16)   kind, address form and size that an entry stands for
 *     n x u8          tokens: the entry of each reference; 255 for an escape
 *     planes          the distances of 1 byte, of 2, of 4, the absolute addresses (6 bytes), the escapes
 *                     (4 bytes: kind, form, size), each set by planes: all first bytes, all second ones
 *
 * Nothing follows. The address forms:
 *
 *     0               the address is the predicted one: where the reference of that kind before it ended,
 *                     in its low 32 bits, in the same 4 GiB. Instructions that follow one another, and
 *                     the registers of one LDM, cost their token.
 *     1, 2, 3         the low 32 bits are a signed distance of 1, 2 or 4 bytes from the predicted ones
 *     4               48 bits of address
 *
 * Each block stands alone: predictions begin at 0.
 */
export const REFERENCES_PER_BLOCK_MAX = 2 ** 20;

export const FORM = { predicted: 0, byte: 1, short: 2, word: 3, absolute: 4 } as const;
export const FORMS = 5;
export const KINDS = 256;
export const ESCAPE = 255;

export const HEAD_BYTES = 4 + 5 * 4 + 1;
export const ENTRY_BYTES = 4;

/** The sets of a block, in their order: tokens, then addresses by their forms (1 to 4), then escapes. */
export const SET = { tokens: 0, escapes: FORMS } as const;
export const SETS = FORMS + 1;
/** Planes of each set, that is, bytes of its members. */
export const SET_BYTES = [1, 1, 2, 4, 6, ENTRY_BYTES] as const;

/** No block of `count` references is larger. */
export const blockBytesMax = (count: number): number =>
  HEAD_BYTES + ESCAPE * ENTRY_BYTES + count * (1 + 6 + ENTRY_BYTES);
