import { assert, InvariantError } from '@tablewalk/base';
import type { Fact, FieldType, RecordedFact } from '@tablewalk/contracts';
import { ByteWriter, concat } from './bytes.ts';
import { CPU_MAX, FACTS_PER_BLOCK_MAX, LIST_ITEMS_PER_BLOCK_MAX } from './columns.ts';
import type { Fields } from './columns.ts';
import { writeNumbers } from './number-column.ts';
import type { FactSchemaRecords } from './schemas.ts';

/** Numbers strings by their first use. */
class StringTable {
  readonly texts: string[] = [];
  private readonly ids = new Map<string, number>();

  idOf(text: string): number {
    const known = this.ids.get(text);
    if (known !== undefined) return known;
    this.ids.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}

/** Throws an InvariantError when a fact does not have exactly the fields of its schema. */
export function encodeFacts(facts: readonly RecordedFact[], schemas: FactSchemaRecords): Uint8Array {
  assert(facts.length > 0 && facts.length <= FACTS_PER_BLOCK_MAX, `${facts.length} facts are no block`);
  const strings = new StringTable();
  const groups = new Map<string, Fields[]>();
  const typeIds = new Map<string, number>();
  const columns = new ByteWriter(64 * facts.length);
  const order = new Float64Array(facts.length);
  for (let i = 0; i < facts.length; i++) {
    const { fact } = facts[i] as RecordedFact;
    let rows = groups.get(fact.type);
    if (rows === undefined) {
      typeIds.set(fact.type, groups.size);
      groups.set(fact.type, (rows = []));
      assertShape(fact, schemas);
    }
    rows.push(fact as unknown as Fields);
    order[i] = typeIds.get(fact.type) as number;
  }
  writeNumbers(columns, order, 'the order of types');
  encodeMetadata(columns, facts, strings);
  for (const [type, rows] of groups)
    for (const [field, fieldType] of Object.entries(schemas[type]?.fields ?? {}))
      encodeField(columns, rows, field, fieldType, strings, `${type}.${field}`);

  const head = new ByteWriter();
  head.natural(facts.length);
  const types = [...groups.keys()].map((type) => strings.idOf(type));
  head.natural(strings.texts.length);
  for (const text of strings.texts) head.text(text);
  head.natural(types.length);
  for (const id of types) head.natural(id);
  return concat([head.bytes(), columns.bytes()]);
}

/** Looked at once a type and block: facts of one type come from one piece of code. */
function assertShape(fact: Fact, schemas: FactSchemaRecords): void {
  assert(Object.hasOwn(schemas, fact.type), `fact type ${fact.type} has no schema`);
  const fields = schemas[fact.type]?.fields ?? {};
  for (const key of Object.keys(fact))
    assert(
      key === 'type' || Object.hasOwn(fields, key),
      `${fact.type}.${key} is not in the schema and would be lost`,
    );
}

function encodeMetadata(out: ByteWriter, facts: readonly RecordedFact[], strings: StringTable): void {
  const column = new Float64Array(facts.length);
  for (let i = 0; i < facts.length; i++) column[i] = strings.idOf((facts[i] as RecordedFact).by);
  writeNumbers(out, column, 'by');
  for (let i = 0; i < facts.length; i++) {
    const { cpu } = facts[i] as RecordedFact;
    if (!(cpu >= -1 && cpu <= CPU_MAX)) throw new InvariantError(`cpu ${cpu} is not in -1..${CPU_MAX}`);
    column[i] = cpu;
  }
  writeNumbers(out, column, 'cpu');
  const last: number[] = [];
  for (let i = 0; i < facts.length; i++) {
    const { cpu, time } = facts[i] as RecordedFact;
    column[i] = time - (last[cpu + 1] ?? 0);
    last[cpu + 1] = time;
  }
  writeNumbers(out, column, 'time');
  for (let i = 0; i < facts.length; i++) column[i] = (facts[i] as RecordedFact).stimulus;
  writeNumbers(out, column, 'stimulus');
}

function encodeField(
  out: ByteWriter,
  rows: readonly Fields[],
  field: string,
  type: FieldType,
  strings: StringTable,
  what: string,
): void {
  if (type === 'b') return encodeBits(out, rows, field, what);
  if (type === 'us') return encodeLists(out, rows, field, what);
  const column = new Float64Array(rows.length);
  if (type === 's') {
    for (let i = 0; i < rows.length; i++) {
      const value = (rows[i] as Fields)[field];
      if (typeof value !== 'string') throw mistyped(what, value, 's');
      column[i] = strings.idOf(value);
    }
  } else {
    for (let i = 0; i < rows.length; i++) {
      const value = (rows[i] as Fields)[field];
      if (typeof value !== 'number' || (type === 'u' && value < 0)) throw mistyped(what, value, type);
      column[i] = value;
    }
  }
  writeNumbers(out, column, what);
}

const mistyped = (what: string, value: unknown, type: FieldType): InvariantError =>
  new InvariantError(`${what} is ${String(value)}, not of type ${type}`);

function encodeBits(out: ByteWriter, rows: readonly Fields[], field: string, what: string): void {
  for (let i = 0; i < rows.length; i += 8) {
    let byte = 0;
    for (let bit = 0; bit < 8 && i + bit < rows.length; bit++) {
      const value = (rows[i + bit] as Fields)[field];
      if (typeof value !== 'boolean') throw mistyped(what, value, 'b');
      if (value) byte |= 1 << bit;
    }
    out.u8(byte);
  }
}

function encodeLists(out: ByteWriter, rows: readonly Fields[], field: string, what: string): void {
  const lengths = new Float64Array(rows.length);
  const items: number[] = [];
  for (let i = 0; i < rows.length; i++) {
    const list = (rows[i] as Fields)[field] as readonly number[];
    if (!Array.isArray(list)) throw mistyped(what, list, 'us');
    lengths[i] = list.length;
    for (let j = 0; j < list.length; j++) {
      const item = list[j] as number;
      if (!(item >= 0)) throw mistyped(`an item of ${what}`, item, 'u');
      items.push(item);
    }
  }
  assert(items.length <= LIST_ITEMS_PER_BLOCK_MAX, `${what} has ${items.length} items in one block`);
  writeNumbers(out, lengths, what);
  writeNumbers(out, Float64Array.from(items), what);
}
