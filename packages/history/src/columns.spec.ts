import { HistoryError, InvariantError } from '@tablewalk/base';
import type { Fact, FactFields, FieldType, RecordedFact } from '@tablewalk/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter, integerBytes } from './bytes.ts';
import { CPU_MAX, recordedAt } from './columns.ts';
import { decodeFacts } from './columns-read.ts';
import { encodeFacts } from './columns-write.ts';
import { readNumbers, writeNumbers } from './number-column.ts';
import { recordSchemas } from './schemas.ts';
import type { FactSchemaRecords } from './schemas.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const natural = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32, MAX));
const integer = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, -64, -(2 ** 32), -MAX, MAX),
);
/** Any UTF-16 at all, half surrogate pairs too. */
const text = fc.oneof(
  fc.constantFrom('', 'kernel', 'mmu-gather'),
  fc.string({ unit: 'binary' }),
  fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
);
const VALUES: Record<FieldType, fc.Arbitrary<unknown>> = {
  u: natural,
  i: integer,
  b: fc.boolean(),
  s: text,
  us: fc.array(natural, { maxLength: 6 }),
};

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/).filter((text) => text !== 'type');
const fields = fc.dictionary(name, fc.constantFrom<FieldType>('u', 'i', 'b', 's', 'us'), {
  maxKeys: 5,
  noNullPrototype: true,
});

function factOf(type: string, of: FactFields): fc.Arbitrary<Fact> {
  const values = Object.fromEntries(
    Object.entries(of).map(([field, fieldType]) => [field, VALUES[fieldType]]),
  );
  return fc.record(values, { noNullPrototype: true }).map((fact) => ({ type, ...fact }));
}

const blocks = fc
  .dictionary(name, fields, { minKeys: 1, maxKeys: 4, noNullPrototype: true })
  .chain((table) => {
    const fact = fc.oneof(...Object.entries(table).map(([type, of]) => factOf(type, of)));
    const cpu = fc.integer({ min: -1, max: CPU_MAX });
    const recorded = fc.record({ by: text, cpu, time: natural, stimulus: fc.integer({ min: -1 }), fact });
    return fc.record({
      schemas: fc.constant(recordSchemas(table)),
      rows: fc.array(recorded, { minLength: 1, maxLength: 40 }),
    });
  })
  .map(({ schemas, rows }) => ({
    schemas,
    facts: rows.map((row, seq): RecordedFact => ({ seq: 100 + seq, ...row })),
  }));

function decoded(bytes: Uint8Array, schemas: FactSchemaRecords): RecordedFact[] {
  const block = decodeFacts(bytes, 100, schemas, 'here');
  return block.facts.map((_, i) => recordedAt(block, i));
}

/** Whatever the bytes are: facts, or a HistoryError. */
function decodesOrSays(bytes: Uint8Array, schemas: FactSchemaRecords): void {
  try {
    decoded(bytes, schemas);
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
  }
}

describe('a block of facts', () => {
  test('comes back as it was, for any schemas and values', () => {
    fc.assert(
      fc.property(blocks, ({ schemas, facts }) => {
        expect(decoded(encodeFacts(facts, schemas), schemas)).toStrictEqual(facts);
      }),
      { numRuns: 300 },
    );
  });

  test('says what is wrong with it, whatever was changed or cut off', () => {
    const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255));
    fc.assert(
      fc.property(
        blocks,
        fc.array(change, { maxLength: 4 }),
        fc.nat(200),
        ({ schemas, facts }, changes, cut) => {
          const bytes = encodeFacts(facts, schemas);
          for (const [where, byte] of changes) bytes[Math.floor(where * (bytes.length - 1))] = byte;
          decodesOrSays(bytes, schemas);
          decodesOrSays(bytes.subarray(0, Math.max(0, bytes.length - cut)), schemas);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('is not believed when it claims more than its bytes can hold', () => {
    const schemas = recordSchemas({ T: { list: 'us' } });
    for (const claim of [2 ** 20, 2 ** 31, MAX]) {
      const strings = new ByteWriter();
      strings.natural(1);
      strings.natural(claim);
      expect(() => decoded(strings.bytes(), schemas)).toThrow('cannot lie in');
    }
    const fact: RecordedFact = {
      seq: 0,
      by: 'a',
      cpu: 0,
      time: 0,
      stimulus: 0,
      fact: { type: 'T', list: [5] } as Fact,
    };
    const bytes = encodeFacts([fact], schemas);
    // At the end stand the list's column of lengths, delta 1, and that of its items, delta 5.
    expect([...bytes.subarray(-4)]).toStrictEqual([1, 1, 1, 5]);
    const long = new ByteWriter();
    long.integer(2 ** 40);
    const forged = [...bytes.subarray(0, -3), ...long.bytes(), 1, 5];
    expect(() => decoded(Uint8Array.from(forged), schemas)).toThrow('list items in one block');
  });

  test('refuses facts that are not as their schema says: a mistake of the program', () => {
    const schemas = recordSchemas({ T: { n: 'u' } });
    const block = (fact: object) => () =>
      encodeFacts([{ seq: 0, by: 'a', cpu: 0, time: 0, stimulus: 0, fact: fact as Fact }], schemas);
    for (const fact of [
      { type: 'U' },
      { type: 'T' },
      { type: 'T', n: 1.5 },
      { type: 'T', n: -1 },
      { type: 'T', n: 2 ** 53 },
      { type: 'T', n: '1' },
      { type: 'T', n: 1, extra: 2 },
    ])
      expect(block(fact), JSON.stringify(fact)).toThrow(InvariantError);
  });

  test('gives the facts of a type one hidden class', () => {
    const schemas = recordSchemas({ A: { x: 'u', y: 's' } });
    const facts = [1, 2].map((x, seq) => ({
      seq,
      by: 'a',
      cpu: 0,
      time: 0,
      stimulus: 0,
      fact: { type: 'A', x, y: 'z' },
    }));
    const [first, second] = decodeFacts(encodeFacts(facts, schemas), 0, schemas, 'here').facts as [
      Fact,
      Fact,
    ];
    expect(Object.keys(first)).toStrictEqual(['type', 'x', 'y']);
    expect(Object.keys(second)).toStrictEqual(Object.keys(first));
    expect(Object.getPrototypeOf(first)).toBe(Object.prototype);
  });
});

describe('a column of numbers', () => {
  const shapes: fc.Arbitrary<number[]> = fc.oneof(
    fc.array(integer),
    fc.array(natural),
    fc.array(fc.nat(3)),
    fc.tuple(integer, fc.nat(50)).map(([value, count]) => new Array<number>(count).fill(value)),
    fc
      .tuple(fc.nat(2 ** 40), fc.nat(50), fc.nat(9000))
      .map(([start, count, step]) => Array.from({ length: count }, (_, i) => start + i * step)),
  );

  test('comes back as it was', () => {
    fc.assert(
      fc.property(shapes, (values) => {
        const out = new ByteWriter(1);
        writeNumbers(out, Float64Array.from(values), 'values');
        const from = new ByteReader(out.bytes(), 'here');
        expect(readNumbers(from, values.length)).toStrictEqual(values);
        from.end();
      }),
      { numRuns: 500 },
    );
  });

  test('knows beforehand how many bytes an integer takes', () => {
    fc.assert(
      fc.property(integer, (value) => {
        const out = new ByteWriter(1);
        out.integer(value);
        expect(out.length).toBe(integerBytes(value));
        expect(new ByteReader(out.bytes(), 'here').integer()).toBe(value);
      }),
    );
  });

  test('takes one byte for each small step, and hardly any for what repeats', () => {
    const bytesOf = (values: number[]): number => {
      const out = new ByteWriter();
      writeNumbers(out, Float64Array.from(values), 'values');
      return out.length;
    };
    const thousand = Array.from({ length: 1000 }, (_, i) => i);
    expect(bytesOf(thousand.map(() => 2 ** 40))).toBeLessThan(12);
    expect(bytesOf(thousand.map((i) => 2 ** 40 + 7 * i + (i % 5)))).toBeLessThan(1010);
    expect(bytesOf(thousand.map((i) => Math.floor(i / 250)))).toBeLessThan(20);
  });
});
