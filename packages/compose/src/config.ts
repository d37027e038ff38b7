import { ConfigError, nearestName, parseBytes } from '@tablewalk/base';
import { SLOTS } from '@tablewalk/contracts';
import type { SlotName } from '@tablewalk/contracts';
import { z } from 'zod';

/** A machine file as people write it: every key is optional, but `use` where a plugin gets knobs. */
const bytes = (fallback: string) =>
  z
    .union([z.string(), z.number()])
    .default(fallback)
    .transform((text, context) => {
      const value = parseBytes(text);
      if (value !== undefined) return value;
      context.addIssue({
        code: 'custom',
        message: `"${text}" is no size; write 64MiB, 4k or a number of bytes`,
      });
      return z.NEVER;
    });

const pluginUse = z.union([
  z.string(),
  z.looseObject({
    use: z.string().describe('id of the plugin, or path of a file that exports its manifest'),
    with: z
      .record(z.string(), z.string())
      .optional()
      .describe('plugins for slots that this plugin alone shall see'),
  }),
]);
export type PluginUse = z.infer<typeof pluginUse>;

const slotNames = Object.keys(SLOTS).filter((slot) => slot !== 'checker') as Exclude<SlotName, 'checker'>[];

export const machineSchema = z
  .strictObject({
    $schema: z.string().optional(),
    name: z.string().optional().describe('what people call the machine'),
    description: z.string().optional(),
    cpus: z.number().int().min(1).max(64).default(1),
    memory: z
      .strictObject({
        ram: bytes('1GiB').describe('bytes of RAM'),
        base: bytes('0x80000000').describe('physical address of the first byte of RAM'),
      })
      .prefault({}),
    seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().describe('default 1; --seed wins'),
    slots: z
      .strictObject(
        Object.fromEntries(slotNames.map((slot) => [slot, pluginUse.optional().describe(SLOTS[slot])])),
      )
      .prefault({}),
    checkers: z.array(pluginUse).default([]).describe('oracles that watch the run'),
  })
  .describe('A Tablewalk machine');

export type MachineConfig = z.infer<typeof machineSchema>;

/** JSON Schema of machine files, for `$schema`. */
export const machineJsonSchema = (): unknown => z.toJSONSchema(machineSchema, { io: 'input' });

/** Checks what a machine file says; `at` names the file. */
export function parseMachine(value: unknown, at: string): MachineConfig {
  const slots = (value as { slots?: Record<string, unknown> } | undefined)?.slots;
  for (const [slot, use] of Object.entries(slots ?? {}))
    if (Array.isArray(use))
      throw new ConfigError('SLOT_FILLED_TWICE', {
        what: `slot "${slot}" is given ${use.length} plugins`,
        why: 'every slot but the checkers holds exactly one',
        fix: `keep one of: ${use.map((each) => JSON.stringify(each)).join(', ')}`,
        at: `${at}#/slots/${slot}`,
      });
  const parsed = machineSchema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw configError(parsed.error, value, at);
}

/** The keys that may stand at a path; undefined where that is not known. */
type KnownKeys = (path: readonly string[]) => readonly string[] | undefined;

/** The first thing that zod did not like, in our words. */
export function configError(
  error: z.ZodError,
  value: unknown,
  at: string,
  knownKeys: KnownKeys = machineKeys,
): ConfigError {
  const issue = error.issues[0] as z.core.$ZodIssue;
  const path = issue.path.map(String).join('/');
  // A plugin is at a place inside a file already.
  const where = at.includes('#') ? [at, path].filter(Boolean).join('/') : `${at}#/${path}`;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] as string;
    const known = knownKeys(issue.path.map(String));
    const near = known === undefined ? undefined : nearestName(key, known);
    return new ConfigError('CONFIG_UNKNOWN_KEY', {
      what: `"${key}" is no key here`,
      ...(known === undefined
        ? {}
        : { why: known.length === 0 ? 'there are none' : `the keys are: ${known.join(', ')}` }),
      fix: near === undefined ? 'take it out' : `did you mean "${near}"?`,
      at: where,
    });
  }
  return new ConfigError('CONFIG_INVALID', {
    what: issue.message,
    why: `the value is ${JSON.stringify(valueAt(value, issue.path))}`,
    fix: 'see the machine file format in docs/machine-files.md, or a plugin\'s knobs with "tablewalk plugins show ID"',
    at: where,
  });
}

/** The knobs of a plugin. */
export const knobKeys = (config: z.ZodType): KnownKeys => {
  interface Shape {
    readonly properties?: Readonly<Record<string, Shape>>;
  }
  const whole = z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' }) as Shape;
  return (path) => {
    const { properties } = path.reduce<Shape>((shape, key) => shape.properties?.[key] ?? {}, whole);
    return properties === undefined ? undefined : Object.keys(properties);
  };
};

function machineKeys(path: readonly string[]): readonly string[] | undefined {
  if (path.length === 0) return Object.keys(machineSchema.shape);
  if (path[0] === 'memory') return ['ram', 'base'];
  if (path[0] === 'slots' && path.length === 1) return slotNames;
  return undefined;
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
