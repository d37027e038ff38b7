import { ConfigError, nearestName } from '@tablewalk/base';
import { applyOverrides, buildMachine, parseMachine, planMachine } from '@tablewalk/compose';
import type { BuiltMachine, MachineConfig, Override, PluginUse } from '@tablewalk/compose';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { catalogueFor } from './catalogue.ts';
import { machinesFolder } from './install.ts';

/** Names of the machines that come with Tablewalk. */
export const machineNames = (): string[] =>
  readdirSync(machinesFolder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();

/** A machine file by its path, or by the name of one that comes with Tablewalk. */
export function findMachineFile(name: string): string {
  if (existsSync(name)) return resolve(name);
  const known = join(machinesFolder, `${basename(name, '.yaml')}.yaml`);
  if (existsSync(known)) return known;
  const near = nearestName(basename(name, '.yaml'), machineNames());
  throw new ConfigError('MACHINE_UNKNOWN', {
    what: `there is no machine file "${name}"`,
    why: `machines that come with Tablewalk: ${machineNames().join(', ')}`,
    fix: near === undefined ? 'give the path of a machine file' : `did you mean "${near}"?`,
  });
}

export function readYaml(text: string, at: string): unknown {
  try {
    return parseYaml(text) as unknown;
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const line = error.linePos?.[0].line;
    throw new ConfigError('CONFIG_NOT_YAML', {
      what: error.message.split('\n')[0] ?? 'not YAML',
      fix: 'correct the file; it is YAML, or JSON',
      at: line === undefined ? at : `${at}:${line}`,
    });
  }
}

/** `--set path.to.key=value`; the value is read as YAML, so numbers and lists are what they look like. */
export function parseOverride(text: string): Override {
  const equals = text.indexOf('=');
  if (equals <= 0)
    throw new ConfigError('SET_MALFORMED', {
      what: `--set ${text} has no "="`,
      fix: 'write --set path.to.key=value, for example --set memory.ram=4MiB',
      at: '--set',
    });
  return { path: text.slice(0, equals).split('.'), value: readYaml(text.slice(equals + 1), '--set') };
}

export interface MachineOverrides {
  readonly set?: readonly string[];
  readonly seed?: number;
}

export function readMachineFile(
  name: string,
  { set = [], seed }: MachineOverrides,
): { config: MachineConfig; at: string } {
  const at = findMachineFile(name);
  const overridden = applyOverrides(readYaml(readFileSync(at, 'utf8'), at), set.map(parseOverride));
  const config = parseMachine(overridden, at);
  return { config: seed === undefined ? config : { ...config, seed }, at };
}

export async function buildFrom(config: MachineConfig, at: string): Promise<BuiltMachine> {
  return buildMachine(planMachine(config, await catalogueFor(pluginUses(config), at), at));
}

export function* pluginUses(config: MachineConfig): Generator<PluginUse> {
  for (const use of [
    ...Object.values(config.slots as Record<string, PluginUse | undefined>),
    ...config.checkers,
  ]) {
    if (use === undefined) continue;
    yield use;
    if (typeof use !== 'string') yield* Object.values(use.with ?? {});
  }
}
