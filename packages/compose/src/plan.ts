import { ConfigError, nearestName } from '@tablewalk/base';
import type { MachineFacts, Manifest, SlotName } from '@tablewalk/contracts';
import { configError, knobKeys } from './config.ts';
import type { MachineConfig, PluginUse } from './config.ts';
import { DEFAULT_PLUGINS, PRESET_PLUGIN } from './defaults.ts';
import type { PlayedStory } from './stage.ts';

/** The manifests that a machine file names, by id (or by the path under which they were loaded). */
export interface Catalogue {
  get(name: string): Manifest | undefined;
  /** Ids that a machine file could name for a slot, for messages. */
  idsOf(slot: SlotName): readonly string[];
}

/** One plugin of a machine, with its knobs as the plugin will get them. */
export interface PlannedPlugin {
  readonly manifest: Manifest;
  readonly config: unknown;
  /** What the machine file calls the plugin: its id, or the path of its file. */
  readonly use: string;
  /** The slot, or for a checker its id. */
  readonly name: string;
  /** Plugins that take the place of a slot's for this one alone. */
  readonly private: ReadonlyMap<SlotName, PlannedPlugin>;
}

export interface MachinePlan {
  readonly machine: MachineFacts;
  readonly plugins: readonly PlannedPlugin[];
  /** The machine file with every default and knob written out: what a history records. */
  readonly effective: EffectiveConfig;
}

export interface EffectiveConfig {
  readonly cpus: number;
  readonly memory: { readonly ram: number; readonly base: number };
  readonly seed: number;
  readonly slots: Readonly<Record<string, PluginUse>>;
  readonly checkers: readonly PluginUse[];
  readonly name?: string;
  /** The story that is played on it, if one is. */
  readonly story?: PlayedStory;
}

/**
 * Checks a machine before anything is made: every slot filled, by a plugin of that slot whose knobs
 * are right, whose requirements are there without a cycle, and that can work with the others.
 */
export function planMachine(config: MachineConfig, catalogue: Catalogue, at: string): MachinePlan {
  const bare: MachineFacts = {
    cpus: config.cpus,
    ramBytes: config.memory.ram,
    ramBase: config.memory.base,
    seed: config.seed ?? 1,
  };
  refuseOddMemory(bare, at);
  const bySlot = new Map<SlotName, PlannedPlugin>();
  const presets = presetsOf(config, catalogue);
  for (const slot of SINGLE_SLOTS) {
    const use = useOf(config, slot, presets[slot]);
    if (use === 'none') continue;
    bySlot.set(slot, plan(use, slot, slot, catalogue, `${at}#/slots/${slot}`));
  }
  const checkers = config.checkers.map((use, i) => {
    const checker = plan(use, 'checker', '', catalogue, `${at}#/checkers/${i}`);
    return { ...checker, name: checker.manifest.id };
  });
  refuseTwice(checkers, at);
  const plugins = [...bySlot.values(), ...checkers];
  const machine = withImage(bare, plugins, at);
  for (const plugin of plugins) checkRequirements(plugin, bySlot, catalogue, at);
  refuseCycles(bySlot, at);
  for (const plugin of plugins) {
    checkFacets(plugin, bySlot, at);
    const reason = plugin.manifest.refuses?.(plugin.config, machine);
    if (reason !== undefined)
      throw new ConfigError('PLUGIN_REFUSES', {
        what: `${plugin.manifest.id} cannot work in this machine`,
        why: reason,
        fix: 'change the machine, or the plugin',
        at: `${at}#/slots/${plugin.name}`,
      });
  }
  const slots = Object.fromEntries([...bySlot.values()].map((plugin) => [plugin.name, effectiveUse(plugin)]));
  const memory = { ram: machine.ramBytes, base: machine.ramBase };
  const name = config.name === undefined ? {} : { name: config.name };
  return {
    machine,
    plugins,
    effective: {
      ...name,
      cpus: machine.cpus,
      memory,
      seed: machine.seed,
      slots,
      checkers: checkers.map(effectiveUse),
    },
  };
}

type SingleSlot = keyof typeof DEFAULT_PLUGINS;
const SINGLE_SLOTS = Object.keys(DEFAULT_PLUGINS) as SingleSlot[];

/** What fills each slot that the machine leaves out: a companion of what it names, or the default. */
function presetsOf(config: MachineConfig, catalogue: Catalogue): Readonly<Record<SingleSlot, string>> {
  const companions = SINGLE_SLOTS.map((slot) => {
    const use = useOf(config, slot, DEFAULT_PLUGINS[slot]);
    return catalogue.get(typeof use === 'string' ? use : use.use)?.companions ?? {};
  });
  return Object.assign({}, DEFAULT_PLUGINS, ...companions) as Record<SingleSlot, string>;
}

/** What a machine says of a slot; `preset` where it says nothing, and where it gives knobs to whatever is there. */
function useOf(config: MachineConfig, slot: SingleSlot, preset: string): PluginUse {
  const use = (config.slots as Record<string, PluginUse | undefined>)[slot] ?? preset;
  if (use === PRESET_PLUGIN) return preset;
  return typeof use === 'object' && use.use === PRESET_PLUGIN ? { ...use, use: preset } : use;
}

/** The kernel's image has room for what every plugin keeps in it; a machine whose plugins keep nothing has none. */
function withImage(machine: MachineFacts, plugins: readonly PlannedPlugin[], at: string): MachineFacts {
  const wanted = plugins.map(({ manifest, config }) => manifest.imageBytes?.(config) ?? 0);
  const imageBytes = Math.ceil(wanted.reduce((sum, bytes) => sum + bytes, 0) / 4096) * 4096;
  if (imageBytes === 0) return machine;
  if (imageBytes > machine.ramBytes / 2)
    throw new ConfigError('MEMORY_UNUSABLE', {
      what: `the kernel's image takes ${imageBytes} bytes of the machine's ${machine.ramBytes}`,
      why: 'less than half of RAM would be left to allocate',
      fix: 'give memory.ram more',
      at: `${at}#/memory`,
    });
  return { ...machine, imageBytes };
}

function plan(use: PluginUse, slot: SlotName, name: string, catalogue: Catalogue, at: string): PlannedPlugin {
  const { use: id, with: others = {}, ...knobs } = typeof use === 'string' ? { use } : use;
  const manifest = catalogue.get(id);
  if (manifest === undefined) throw unknownPlugin(id, slot, catalogue, at);
  if (manifest.slot !== slot)
    throw new ConfigError('SLOT_MISMATCH', {
      what: `${manifest.id} is no plugin for slot "${slot}"`,
      why: `it fills slot "${manifest.slot}"`,
      fix: `choose one of: ${catalogue.idsOf(slot).join(', ')}`,
      at,
    });
  const parsed = manifest.config.safeParse(knobs);
  if (!parsed.success)
    throw configError(parsed.error, knobs, `${at} (${manifest.id})`, knobKeys(manifest.config));
  const own = new Map<SlotName, PlannedPlugin>();
  for (const [other, otherUse] of Object.entries(others)) {
    const required = manifest.requires.find((each) => each === other);
    if (required === undefined)
      throw new ConfigError('WITH_NOT_REQUIRED', {
        what: `${manifest.id} has no use for a plugin of slot "${other}"`,
        why: `it requires ${manifest.requires.length === 0 ? 'none' : manifest.requires.join(', ')}`,
        fix: 'take it out of "with"',
        at,
      });
    own.set(required, plan(otherUse, required, `${required}@${name}`, catalogue, `${at}/with/${other}`));
  }
  return { manifest, use: id, config: parsed.data, name, private: own };
}

function effectiveUse({ use, config, private: own }: PlannedPlugin): PluginUse {
  const others = Object.fromEntries([...own].map(([slot, plugin]) => [slot, plugin.use]));
  return { use, ...(config as object), ...(own.size === 0 ? {} : { with: others }) };
}

function unknownPlugin(id: string, slot: SlotName, catalogue: Catalogue, at: string): ConfigError {
  const known = catalogue.idsOf(slot);
  const near = nearestName(id, known) ?? nearestName(`${slot}-${id}`, known);
  return new ConfigError('PLUGIN_UNKNOWN', {
    what: `there is no plugin "${id}"`,
    why: `slot "${slot}" knows: ${known.join(', ') || 'none'}`,
    fix: near === undefined ? 'name one of these, or the path of a plugin file' : `did you mean "${near}"?`,
    at,
  });
}

function refuseTwice(checkers: readonly PlannedPlugin[], at: string): void {
  const seen = new Set<string>();
  for (const { name } of checkers) {
    if (seen.has(name))
      throw new ConfigError('CHECKER_TWICE', {
        what: `checker "${name}" is listed twice`,
        fix: 'list it once',
        at: `${at}#/checkers`,
      });
    seen.add(name);
  }
}

function checkRequirements(
  plugin: PlannedPlugin,
  bySlot: ReadonlyMap<SlotName, PlannedPlugin>,
  catalogue: Catalogue,
  at: string,
): void {
  for (const slot of plugin.manifest.requires)
    if (!bySlot.has(slot) && !plugin.private.has(slot))
      throw new ConfigError('SLOT_UNFILLED', {
        what: `slot "${slot}" has no plugin`,
        why: `required by: ${dependents(slot, bySlot).join(' <- ') || plugin.manifest.id}`,
        fix: fillerOf(slot, catalogue),
        at: `${at}#/slots/${slot}`,
      });
}

/** The default of a slot; of one that is empty by default, the first plugin that there is. */
function fillerOf(slot: keyof typeof DEFAULT_PLUGINS, catalogue: Catalogue): string {
  const preset = DEFAULT_PLUGINS[slot];
  const id = preset === 'none' ? catalogue.idsOf(slot)[0] : preset;
  return id === undefined ? `install a plugin for slot "${slot}"` : `add ${slot}: "${id}" to the slots`;
}

/** A chain of plugins, each required by the next, that begins with one that requires `slot`. */
function dependents(slot: SlotName, bySlot: ReadonlyMap<SlotName, PlannedPlugin>): string[] {
  const path: string[] = [];
  const visited = new Set<SlotName>();
  for (let wanted: SlotName | undefined = slot; wanted !== undefined && !visited.has(wanted);) {
    visited.add(wanted);
    const by: PlannedPlugin | undefined = [...bySlot.values()].find(({ manifest }) =>
      (manifest.requires as readonly SlotName[]).includes(wanted as SlotName),
    );
    if (by !== undefined) path.push(`${by.manifest.id} (slot ${by.manifest.slot})`);
    wanted = by?.manifest.slot;
  }
  return path;
}

function refuseCycles(bySlot: ReadonlyMap<SlotName, PlannedPlugin>, at: string): void {
  const done = new Set<SlotName>();
  const walk = (slot: SlotName, path: readonly SlotName[]): void => {
    if (done.has(slot)) return;
    const from = path.indexOf(slot);
    if (from >= 0) {
      const cycle = [...path.slice(from), slot].map((each) => bySlot.get(each)?.manifest.id ?? each);
      throw new ConfigError('DEPENDENCY_CYCLE', {
        what: `plugins require each other in a circle: ${cycle.join(' -> ')}`,
        why: 'none of them can be made first',
        fix: 'replace one of them by a plugin that does not require the next',
        at: `${at}#/slots/${slot}`,
      });
    }
    for (const required of bySlot.get(slot)?.manifest.requires ?? []) walk(required, [...path, slot]);
    done.add(slot);
  };
  for (const slot of bySlot.keys()) walk(slot, []);
}

function checkFacets(plugin: PlannedPlugin, bySlot: ReadonlyMap<SlotName, PlannedPlugin>, at: string): void {
  for (const { slot, facet, why } of plugin.manifest.needs ?? []) {
    const other = bySlot.get(slot);
    if (other === undefined || other.manifest.facets?.includes(facet) === true) continue;
    throw new ConfigError('FACETS_INCOMPATIBLE', {
      what: `${plugin.manifest.id} cannot work with ${other.manifest.id}`,
      why: `it needs "${facet}" of slot "${slot}": ${why}`,
      fix: `choose a plugin for slot "${slot}" that has it, or another for slot "${plugin.name}"`,
      at: `${at}#/slots/${slot}`,
    });
  }
}

function refuseOddMemory({ ramBytes, ramBase }: MachineFacts, at: string): void {
  const problem =
    ramBytes < 64 * 1024
      ? 'less than 64 KiB of RAM'
      : ramBytes % 4096 !== 0 || ramBase % 4096 !== 0
        ? 'RAM that does not begin and end at a page'
        : ramBase + ramBytes > 2 ** 40
          ? 'RAM above 2^40'
          : undefined;
  if (problem !== undefined)
    throw new ConfigError('MEMORY_UNUSABLE', {
      what: `the machine has ${problem}`,
      why: 'memory is handed out in pages of 4 KiB, and physical addresses have at most 40 bits',
      fix: 'give memory.ram and memory.base as multiples of 4KiB',
      at: `${at}#/memory`,
    });
}
