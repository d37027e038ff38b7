import { assert } from '@tablewalk/base';
import type { DescriptorField, DescriptorLayout } from '@tablewalk/contracts';

/**
 * Descriptors and their fields by the names of the manual, both ways, for any format that states its layouts.
 * A descriptor is two unsigned words of 32 bits; `hi` is 0 in formats of one word. For showing and making
 * descriptors, not for walks.
 */
export interface DecodedField {
  readonly name: string;
  /** Bits `[high:low]` of 64, inclusive. */
  readonly high: number;
  readonly low: number;
  /** Unsigned, at bit 0. */
  readonly value: number;
  /** In words; empty where the number says it all. */
  readonly meaning: string;
}

/** Fields of a descriptor in the order of its layout. */
export const decodeFields = (layout: DescriptorLayout, lo: number, hi: number): DecodedField[] =>
  layout.fields.map((field) => {
    const { name, high, low } = field;
    const value = fieldValue(field, lo, hi);
    return { name, high, low, value, meaning: field.meaning?.(value) ?? '' };
  });

/** Bits `[high:low]` of a descriptor. A field has at most 53 bits, so that its value is exact. */
export function fieldValue({ name, high, low }: DescriptorField, lo: number, hi: number): number {
  assert(high - low < 53 && low >= 0 && high < 64, `field ${name} [${high}:${low}] has no exact value`);
  // Each word's part, at bit 0 of the word; a word that the field does not reach gives 0.
  const ofLo = low > 31 ? 0 : bitsOf(lo, Math.min(high, 31), low);
  const ofHi = high < 32 ? 0 : bitsOf(hi, high - 32, Math.max(low - 32, 0));
  return ofLo + ofHi * 2 ** Math.max(32 - low, 0);
}

const bitsOf = (word: number, high: number, low: number): number =>
  Math.floor((word >>> 0) / 2 ** low) % 2 ** (high - low + 1);

export interface Descriptor {
  readonly lo: number;
  readonly hi: number;
}

/**
 * The descriptor of a layout with these values of fields; 0 for those that are not named.
 *
 * @throws RangeError for a field that the layout does not have, a value that is no unsigned number of the
 * field's bits, and values that would make it a descriptor of another type.
 */
export function encodeDescriptor(
  layout: DescriptorLayout,
  values: Readonly<Record<string, number>>,
): Descriptor {
  const [mask, type] = layout.is;
  let [lo, hi] = [type >>> 0, 0];
  for (const [name, value] of Object.entries(values)) {
    const field = layout.fields.find((each) => each.name === name);
    if (field === undefined) throw new RangeError(`a ${layout.type} has no field ${name}`);
    const bits = field.high - field.low + 1;
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** bits)
      throw new RangeError(`${name} of a ${layout.type} has ${bits} bits, and ${value} is not in them`);
    if (field.low < 32) lo = (lo | ((value % 2 ** (32 - field.low)) * 2 ** field.low)) >>> 0;
    if (field.high > 31)
      hi =
        (hi | Math.floor(field.low < 32 ? value / 2 ** (32 - field.low) : value * 2 ** (field.low - 32))) >>>
        0;
  }
  if ((lo & mask) >>> 0 !== type >>> 0)
    throw new RangeError(`these values make it no ${layout.type}: a field lies over its type bits`);
  return { lo, hi };
}

/** Pairs of fields that have a bit in common: a mistake in a layout. Empty when there is none. */
export function overlapsOf(layout: DescriptorLayout): string[] {
  const taken = new Map<number, string>();
  const found: string[] = [];
  for (const { name, high, low } of layout.fields)
    for (let bit = low; bit <= high; bit++) {
      const other = taken.get(bit);
      if (other !== undefined) found.push(`${name} and ${other} both have bit ${bit}`);
      taken.set(bit, name);
    }
  return found;
}
