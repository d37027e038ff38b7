import type { Fact, FieldType } from '@tablewalk/contracts';
import { ByteReader } from './bytes.ts';
import { CPU_MAX, FACTS_PER_BLOCK_MAX, LIST_ITEMS_PER_BLOCK_MAX } from './columns.ts';
import type { FactBlock, Fields } from './columns.ts';
import { readNumbers } from './number-column.ts';
import type { FactSchemaRecords } from './schemas.ts';

/** `where` names the block, for reports. */
export function decodeFacts(
  bytes: Uint8Array,
  first: number,
  schemas: FactSchemaRecords,
  where: string,
): FactBlock {
  const from = new ByteReader(bytes, where);
  const count = from.natural();
  if (count < 1 || count > FACTS_PER_BLOCK_MAX) from.fail(`a block of ${count} facts`);
  const strings = Array.from({ length: from.count(1, 'strings') }, () => from.text());
  const types = Array.from({ length: from.count(1, 'fact types') }, () =>
    textAt(from, strings, from.natural()),
  );
  const order = readNumbers(from, count, 0);
  const by = readTexts(from, count, strings);
  const cpu = readNumbers(from, count, -1);
  const time = readTimes(from, cpu);
  const stimulus = readNumbers(from, count);

  const groupCounts = new Array<number>(types.length).fill(0);
  for (const id of order) {
    if (id >= types.length) from.fail(`fact type ${id} of ${types.length}`);
    groupCounts[id] = (groupCounts[id] as number) + 1;
  }
  const groups = types.map((type, id) => {
    if (!Object.hasOwn(schemas, type)) from.fail(`fact type ${type} has no schema in the header`);
    const fields = Object.entries(schemas[type]?.fields ?? {});
    const columns = fields.map(([, fieldType]) =>
      readField(from, groupCounts[id] as number, fieldType, strings),
    );
    return buildRows(
      type,
      fields.map(([field]) => field),
      columns,
      groupCounts[id] as number,
    );
  });
  from.end();
  return { first, count, facts: interleave(order, groups), by, cpu, time, stimulus };
}

function textAt(from: ByteReader, strings: readonly string[], id: number): string {
  if (id >= strings.length) from.fail(`string ${id} of ${strings.length}`);
  return strings[id] as string;
}

function readTexts(from: ByteReader, count: number, strings: readonly string[]): string[] {
  const ids = readNumbers(from, count, 0);
  const texts = new Array<string>(count);
  for (let i = 0; i < count; i++) texts[i] = textAt(from, strings, ids[i] as number);
  return texts;
}

function readTimes(from: ByteReader, cpu: readonly number[]): number[] {
  const times = readNumbers(from, cpu.length);
  const last: number[] = [];
  for (let i = 0; i < times.length; i++) {
    const at = (cpu[i] as number) + 1;
    if (at > CPU_MAX + 1) from.fail(`a fact of CPU ${at - 1}`);
    last[at] = times[i] = (last[at] ?? 0) + (times[i] as number);
  }
  return times;
}

function readField(from: ByteReader, count: number, type: FieldType, strings: readonly string[]): unknown[] {
  if (type === 'u') return readNumbers(from, count, 0);
  if (type === 'i') return readNumbers(from, count);
  if (type === 's') return readTexts(from, count, strings);
  if (type === 'b') return readBits(from, count);
  return readLists(from, count);
}

function readBits(from: ByteReader, count: number): boolean[] {
  const bits = new Array<boolean>(count);
  for (let i = 0, byte = 0; i < count; i++) {
    if ((i & 7) === 0) byte = from.u8();
    bits[i] = ((byte >> (i & 7)) & 1) === 1;
  }
  return bits;
}

function readLists(from: ByteReader, count: number): number[][] {
  const lengths = readNumbers(from, count, 0);
  let total = 0;
  for (const length of lengths) total += length;
  if (total > LIST_ITEMS_PER_BLOCK_MAX) from.fail(`${total} list items in one block`);
  const items = readNumbers(from, total, 0);
  let at = 0;
  return lengths.map((length) => items.slice(at, (at += length)));
}

type Columns = readonly (readonly unknown[])[];
type RowBuilder = (columns: Columns, count: number) => Fact[];
const rowBuilders = new Map<string, RowBuilder>();

/** Facts of one type, from its columns. */
function buildRows(type: string, fields: readonly string[], columns: Columns, count: number): Fact[] {
  const key = [type, ...fields].join('\n');
  let builder = rowBuilders.get(key);
  if (builder === undefined) rowBuilders.set(key, (builder = rowBuilder(type, fields)));
  return builder(columns, count);
}

/**
 * A loop over one object literal with the fields written out: 25 ns a fact where stores by name take 80, and a
 * replay spends most of its time here. The fields' names were held against a pattern of plain identifiers
 * (schemasMistake). Where code must not be made from text (a page with a strict policy), stores by name serve.
 */
function rowBuilder(type: string, fields: readonly string[]): RowBuilder {
  const literal = [`type: ${JSON.stringify(type)}`, ...fields.map((field, j) => `${field}: c${j}[i]`)].join(
    ', ',
  );
  const source = `const [${fields.map((_, j) => `c${j}`).join(', ')}] = columns;
    const rows = new Array(count);
    for (let i = 0; i < count; i++) rows[i] = { ${literal} };
    return rows;`;
  try {
    return new Function('columns', 'count', source) as RowBuilder;
  } catch {
    return (columns, count) => rowsByName(type, fields, columns, count);
  }
}

function rowsByName(type: string, fields: readonly string[], columns: Columns, count: number): Fact[] {
  return Array.from({ length: count }, (_, i) => {
    const row: { type: string } & Fields = { type };
    fields.forEach((field, j) => {
      row[field] = columns[j]?.[i];
    });
    return row;
  });
}

function interleave(order: readonly number[], groups: readonly (readonly Fact[])[]): Fact[] {
  const next = new Array<number>(groups.length).fill(0);
  const facts = new Array<Fact>(order.length);
  for (let i = 0; i < order.length; i++) {
    const id = order[i] as number;
    const at = next[id] as number;
    facts[i] = groups[id]?.[at] as Fact;
    next[id] = at + 1;
  }
  return facts;
}
