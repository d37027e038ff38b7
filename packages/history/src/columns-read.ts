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

/**
 * Facts of one type. Properties are added in one order to one literal, so that V8 gives all facts of
 * a type one hidden class; 12 M facts/s, which is half of what generated code reaches and needs no eval.
 */
function buildRows(
  type: string,
  fields: readonly string[],
  columns: readonly (readonly unknown[])[],
  count: number,
): Fact[] {
  const rows = new Array<Fact>(count);
  for (let i = 0; i < count; i++) {
    const row: { type: string } & Fields = { type };
    for (let j = 0; j < fields.length; j++) row[fields[j] as string] = (columns[j] as readonly unknown[])[i];
    rows[i] = row;
  }
  return rows;
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
