import { assert } from '@tablewalk/base';
import type { Fact, FactSchemas, FieldType } from '@tablewalk/contracts';
import fc from 'fast-check';

/**
 * Random facts whose fields look like what they are named after, from domains so small that facts of
 * one sequence speak of the same CPUs, pages and processes. A component of a plugin has to fold any
 * of them, in any order: who writes `evolve` cannot know what another's policy lets happen.
 */
export interface Domains {
  readonly cpus: number;
  /** Address spaces 0 to `mms` - 1. */
  readonly mms: number;
}

const words = (base: number, count: number): fc.Arbitrary<number> =>
  fc.nat(count - 1).map((i) => base + 4 * i);
const RAM_BASE = 0x8000_0000;

function naturalNamed(field: string, type: string, { cpus, mms }: Domains): fc.Arbitrary<number> {
  if (type === 'WordsCopied' && (field === 'from' || field === 'to')) return words(RAM_BASE, 16);
  switch (field) {
    case 'cpu':
      return fc.nat(cpus - 1);
    case 'from':
    case 'to':
      return type.startsWith('Ipi') ? fc.nat(cpus - 1) : fc.nat(7);
    case 'mm':
      return fc.nat(mms - 1);
    case 'pfn':
      return fc.nat(7).map((i) => RAM_BASE / 4096 + i);
    case 'pa':
    case 'table':
      return words(RAM_BASE, 16);
    case 'va':
      return fc.oneof(
        fc.nat(7).map((i) => 0x8000 + 4096 * i),
        fc.nat(0x2fff),
      );
    case 'order':
      return fc.nat(3);
    case 'words':
      return fc.nat(5);
    case 'value':
      return fc.nat(0xffff_ffff);
    case 'step':
      return fc.constantFrom(0, 1, 4096);
    default:
      return fc.nat(7);
  }
}

const TEXTS: Readonly<Record<string, readonly string[]>> = {
  lock: ['lru_lock', 'page_table_lock:1', 'page_table_lock:2'],
  use: ['user', 'page-table', 'kernel'],
  scope: ['all', 'asid', 'va', 'va-all-asids'],
  operation: ['clean', 'invalidate', 'clean-invalidate'],
  side: ['data', 'instruction', 'both'],
};

function valueOf(kind: FieldType, field: string, type: string, domains: Domains): fc.Arbitrary<unknown> {
  switch (kind) {
    case 'u':
      return naturalNamed(field, type, domains);
    case 'i':
      return fc.integer({ min: -8, max: 8 });
    case 'b':
      return fc.boolean();
    case 's':
      return fc.constantFrom(...(TEXTS[field] ?? ['a', 'b', 'c']));
    case 'us':
      // Counters come as pairs of number and increase.
      if (field === 'counters')
        return fc.array(fc.tuple(fc.nat(5), fc.nat(9)), { maxLength: 3 }).map((pairs) => pairs.flat());
      return fc.array(fc.nat(7), { maxLength: 4 });
  }
}

/** A fact of one of the types, each as likely as the other. */
export function plausibleFact(
  schemas: FactSchemas,
  types: readonly string[],
  domains: Domains,
): fc.Arbitrary<Fact> {
  return fc.oneof(
    ...types.map((type) => {
      const fields = schemas[type];
      assert(fields !== undefined, `fact type ${type} is in evolvesOn, but no schema declares it`);
      const values = Object.entries(fields).map(
        ([field, kind]) => [field, valueOf(kind, field, type, domains)] as const,
      );
      return fc.record({ type: fc.constant(type), ...Object.fromEntries(values) }) as fc.Arbitrary<Fact>;
    }),
  );
}
