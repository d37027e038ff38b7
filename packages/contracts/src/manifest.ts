import type { z } from 'zod';
import type { AnyComponent } from './component.ts';
import type { Programs } from './program.ts';
import type { SlotName, Slots } from './slots.ts';
import type { TableFormat } from './table-format.ts';

/** What every plugin may bring: a component (a slice of the world) and programs that its own routines start. */
export interface Plugin {
  readonly component?: AnyComponent;
  readonly programs?: Programs;
}

/** What a plugin is told of the machine it is built into. */
export interface MachineFacts {
  readonly cpus: number;
  readonly ramBytes: number;
  /** Physical byte address of the first byte of RAM. */
  readonly ramBase: number;
  readonly seed: number;
  /**
   * Bytes at the start of RAM that belong to the kernel's image, and not to the allocator: what the plugins ask for.
   * Absent: 0.
   */
  readonly imageBytes?: number;
}

/**
 * A plugin's manifest: plain data plus `create`. Folder name, `id` and the name in a machine file
 * are the same string, `<slot>-<policy>`.
 */
export interface Manifest<Slot extends SlotName = SlotName, Config = unknown> {
  readonly id: string;
  readonly slot: Slot;
  readonly version: string;
  /** One sentence for `plugins list`. */
  readonly summary: string;
  /** Manual, commit, paper: where the policy comes from. */
  readonly source: string;
  /** Slots whose plugins `create` gets. Checkers are a list and cannot be required. */
  readonly requires: readonly Exclude<SlotName, 'checker'>[];
  /**
   * Slots whose plugin `create` gets where the machine fills them, and finds undefined where it does not. That
   * plugin may be made later and may require this one: routines may use it, `create` itself may not.
   */
  readonly optional?: readonly Exclude<SlotName, 'checker'>[];
  /** Plugins for slots that a machine file leaves out where this one stands, in place of the defaults. */
  readonly companions?: Readonly<Partial<Record<Exclude<SlotName, 'checker'>, string>>>;
  /** What this plugin can do, in words that another's `needs` may name. */
  readonly facets?: readonly string[];
  /** Facets that the plugin of another slot must have, with the reason. */
  readonly needs?: readonly { readonly slot: SlotName; readonly facet: string; readonly why: string }[];
  /** The knobs, with defaults and descriptions; validated before `create`. */
  readonly config: z.ZodType<Config>;
  /** Slot page-table: the format by itself, for tables that come from elsewhere (`tablewalk translate`). */
  readonly format?: TableFormat;
  /** Bytes of the kernel's image, at the start of RAM, in which the plugin keeps what it allocates statically. */
  imageBytes?(config: Config): number;
  /** Undefined when the plugin can work in such a machine, else the reason why it cannot. */
  refuses?(config: Config, machine: MachineFacts): string | undefined;
  create(config: Config, deps: Slots, machine: MachineFacts): Slots[Slot];
}

/** Keeps the types of a manifest, and lets it stand in a list with others. */
export function defineManifest<Slot extends SlotName, Config>(manifest: Manifest<Slot, Config>): Manifest {
  // A manifest's own `create` is only ever called with a config that its own schema produced.
  return manifest as unknown as Manifest;
}
