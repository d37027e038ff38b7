import { ConfigError, nearestName } from '@tablewalk/base';
import { SLOTS } from '@tablewalk/contracts';
import { DEFAULT_PLUGINS, PRESET_PLUGIN } from './defaults.ts';

/** A `--set path.to.key=value`, its value already read as YAML. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
}

const ROOTS = ['cpus', 'memory', 'seed', 'slots', 'checkers', 'name', 'description'];

/** Lays overrides over the contents of a machine file; neither is changed. */
export function applyOverrides(machine: unknown, overrides: readonly Override[]): unknown {
  let result: unknown = machine ?? {};
  for (const override of overrides) {
    refuseUnknown(override);
    result = withValue(withNamedPlugin(result, override), override.path, override.value, override);
  }
  return result;
}

/** A knob of a slot that the file leaves out is a knob of the plugin that will be there. */
function withNamedPlugin(machine: unknown, { path }: Override): unknown {
  const [root, slot, knob] = path;
  if (root !== 'slots' || slot === undefined || knob === undefined || !(slot in DEFAULT_PLUGINS))
    return machine;
  const file = machine as { readonly slots?: Readonly<Record<string, unknown>> };
  if (file.slots?.[slot] !== undefined) return machine;
  return { ...file, slots: { ...file.slots, [slot]: PRESET_PLUGIN } };
}

function refuseUnknown({ path }: Override): void {
  const [root, slot] = path;
  const text = path.join('.');
  if (root === undefined || !ROOTS.includes(root)) throw unknownPath(text, root ?? '', ROOTS);
  if (root === 'slots' && slot !== undefined && !(slot in SLOTS))
    throw unknownPath(text, slot, Object.keys(SLOTS));
}

function unknownPath(text: string, key: string, known: readonly string[]): ConfigError {
  const near = nearestName(key, known);
  return new ConfigError('SET_UNKNOWN_PATH', {
    what: `--set ${text}: "${key}" is no key of a machine`,
    why: `known here: ${known.join(', ')}`,
    fix: near === undefined ? 'name one of these' : `did you mean "${near}"?`,
    at: '--set',
  });
}

function withValue(target: unknown, path: readonly string[], value: unknown, override: Override): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(target)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index >= target.length)
      throw new ConfigError('SET_UNKNOWN_PATH', {
        what: `--set ${override.path.join('.')}: there is no element "${key}" in a list of ${target.length}`,
        fix: `use a number from 0 to ${target.length - 1}`,
        at: '--set',
      });
    return target.map((item, i) =>
      i === index ? withValue(item, rest, value, override) : (item as unknown),
    );
  }
  // A plugin that was named alone gets a knob: `tlb: x` becomes `tlb: { use: x }`.
  const object = typeof target === 'string' ? { use: target } : ((target ?? {}) as Record<string, unknown>);
  return { ...object, [key]: withValue((object as Record<string, unknown>)[key], rest, value, override) };
}
