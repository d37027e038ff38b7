import { assert } from '@tablewalk/base';
import type { FactFields, FactSchemas, FieldType } from '@tablewalk/contracts';

/** The fields of a fact type as a history has them, and which edition of the type that is (1 and up). */
export interface FactSchemaRecord {
  readonly version: number;
  readonly fields: FactFields;
}
export type FactSchemaRecords = Readonly<Record<string, FactSchemaRecord>>;

const FIELD_TYPES: ReadonlySet<string> = new Set(['u', 'i', 'b', 's', 'us'] satisfies FieldType[]);

/** Names become properties of plain objects; these do so without surprise. */
const isPlainName = (name: string): boolean => /^[A-Za-z_]\w{0,127}$/.test(name) && name !== '__proto__';
/** A type is never written into code, and may be in words: `tlb[0] written`. */
const isTypeName = (name: string): boolean =>
  /^[A-Za-z_][\w .:[\]-]{0,127}$/.test(name) && name !== '__proto__';

/** Schemas with their versions: those that are not named stand at version 1. */
export function recordSchemas(
  schemas: FactSchemas,
  versions: Readonly<Record<string, number>> = {},
): FactSchemaRecords {
  const records: Record<string, FactSchemaRecord> = {};
  for (const [type, fields] of Object.entries(schemas))
    records[type] = {
      version: Object.hasOwn(versions, type) ? (versions[type] as number) : 1,
      fields: { ...fields },
    };
  const mistake = schemasMistake(records);
  assert(mistake === undefined, mistake ?? '');
  return records;
}

/** Why these are no schemas (they may come from a file), or undefined when they are. */
export function schemasMistake(records: unknown): string | undefined {
  if (!isRecord(records)) return 'the table of fact schemas is no object';
  if (Object.keys(records).length > 0xfffe) return 'there are more than 65,534 fact types';
  for (const [type, record] of Object.entries(records)) {
    if (!isTypeName(type)) return `${JSON.stringify(type)} cannot be the name of a fact type`;
    if (!isRecord(record) || !isRecord(record['fields'])) return `fact type ${type} has no table of fields`;
    if (!Number.isSafeInteger(record['version']) || (record['version'] as number) < 1)
      return `fact type ${type} has no version`;
    for (const [field, fieldType] of Object.entries(record['fields'])) {
      if (!isPlainName(field) || field === 'type')
        return `${JSON.stringify(field)} cannot be a field of ${type}`;
      if (typeof fieldType !== 'string' || !FIELD_TYPES.has(fieldType))
        return `${type}.${field} has an unknown type`;
    }
  }
  return undefined;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const natural = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const JSON_SCHEMA_OF: Readonly<Record<FieldType, object>> = {
  u: natural,
  i: { type: 'integer' },
  b: { type: 'boolean' },
  s: { type: 'string' },
  us: { type: 'array', items: natural },
};

/** JSON Schema of one fact, for the tools of others. */
export function jsonSchemaOf(type: string, record: FactSchemaRecord): object {
  const properties: Record<string, object> = { type: { const: type } };
  for (const [field, fieldType] of Object.entries(record.fields))
    properties[field] = JSON_SCHEMA_OF[fieldType];
  return {
    title: type,
    version: record.version,
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}
