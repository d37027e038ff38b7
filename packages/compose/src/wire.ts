import 'reflect-metadata';
import type { Manifest, MachineFacts, Plugin, SlotName, Slots } from '@tablewalk/contracts';
import { Container, ContainerModule } from 'inversify';
import type { MachinePlan, PlannedPlugin } from './plan.ts';

/** A plugin of a wired machine, with the name of its slice. */
export interface WiredPlugin {
  readonly name: string;
  readonly plugin: Plugin;
}

/** One token a slot, the same in every process and every copy of the code. */
const token = (name: string): symbol => Symbol.for(`tablewalk.slot.${name}`);

/** The dependencies of a plugin by token, in the order of its `requires`. */
const tokensOf = ({ manifest, private: own }: PlannedPlugin): symbol[] =>
  manifest.requires.map((slot) => token(own.get(slot)?.name ?? slot));

/**
 * What a plugin gets for each slot of its `optional` that the machine fills. The plugin there may be made
 * later, and may require this one: what is given stands for it, and becomes it when all are made.
 */
class StandIns {
  private readonly known = new Map<SlotName, object>();

  constructor(private readonly filled: ReadonlySet<string>) {}

  of(slot: SlotName): object | undefined {
    if (!this.filled.has(slot)) return undefined;
    const known = this.known.get(slot) ?? {};
    this.known.set(slot, known);
    return known;
  }

  becomeReal(wired: readonly WiredPlugin[]): void {
    for (const [slot, standIn] of this.known) Object.setPrototypeOf(standIn, pluginOf(wired, slot));
  }
}

/** A manifest as a module: what it requires is injected, what it creates is the one instance of its slot. */
function moduleOf(planned: PlannedPlugin, machine: MachineFacts, standIns: StandIns): ContainerModule {
  const { manifest, config, name } = planned;
  return new ContainerModule(({ bind }) => {
    bind<Plugin>(token(name))
      .toResolvedValue(
        (...injected: unknown[]) => create(manifest, config, injected, machine, standIns),
        tokensOf(planned),
      )
      .inSingletonScope();
  });
}

function create(
  manifest: Manifest,
  config: unknown,
  injected: readonly unknown[],
  machine: MachineFacts,
  standIns: StandIns,
): Plugin {
  // A manifest sees the slots that it names and no others.
  const slots = Object.fromEntries([
    ...manifest.requires.map((slot, i) => [slot, injected[i]] as const),
    ...(manifest.optional ?? []).map((slot) => [slot, standIns.of(slot)] as const),
  ]) as unknown as Slots;
  return manifest.create(config, slots, machine);
}

/** Makes every plugin of a plan. After this nobody asks the container for anything. */
export function wirePlugins({ plugins, machine }: MachinePlan): readonly WiredPlugin[] {
  const container = new Container();
  const everyone = plugins.flatMap((planned) => [...planned.private.values(), planned]);
  const standIns = new StandIns(new Set(plugins.map(({ name }) => name)));
  container.load(...everyone.map((planned) => moduleOf(planned, machine, standIns)));
  const wired = everyone.map(({ name }) => ({ name, plugin: container.get<Plugin>(token(name)) }));
  standIns.becomeReal(wired);
  return wired;
}

export const pluginOf = <Slot extends SlotName>(wired: readonly WiredPlugin[], slot: Slot): Slots[Slot] =>
  wired.find(({ name }) => name === slot)?.plugin as Slots[Slot];
