import { defineManifest } from '@tablewalk/contracts';
import type { Manifest, Plugin, SlotName } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { MachinePlan, PlannedPlugin } from './plan.ts';
import { pluginOf, wirePlugins } from './wire.ts';

interface Named extends Plugin {
  readonly name: string;
  /** What `create` got, by slot. */
  readonly got: Readonly<Record<string, Named | undefined>>;
}

/** A plugin that remembers what it was given, and can be asked for it later. */
const planned = (slot: SlotName, more: Partial<Manifest>): PlannedPlugin => {
  const manifest = defineManifest({
    id: `${slot}-test`,
    slot,
    version: '1.0.0',
    summary: '',
    source: '',
    requires: [],
    config: z.strictObject({}),
    create: (_config: unknown, deps: object) => ({ name: slot, got: { ...deps } }) as never,
    ...more,
  } as never);
  return { manifest, config: {}, use: manifest.id, name: slot, private: new Map() };
};

function wired(...plugins: readonly PlannedPlugin[]): (slot: SlotName) => Named {
  const machine = { cpus: 1, ramBytes: 0, ramBase: 0, seed: 1 };
  const all = wirePlugins({ plugins, machine } as unknown as MachinePlan);
  return (slot) => pluginOf(all, slot) as unknown as Named;
}

describe('a plugin gets', () => {
  it('the plugins of the slots that it requires, and no others', () => {
    const of = wired(planned('asid', { requires: ['tlb'] }), planned('tlb', {}), planned('cache', {}));
    expect(of('asid').got).toEqual({ tlb: of('tlb') });
    expect(of('asid').got['tlb']).toBe(of('tlb'));
  });

  it('undefined for an optional slot that the machine leaves empty', () => {
    const of = wired(planned('asid', { requires: ['tlb'], optional: ['ioremap'] }), planned('tlb', {}));
    expect(of('asid').got).toEqual({ tlb: of('tlb'), ioremap: undefined });
  });

  it('what stands for the plugin of an optional slot, even where that plugin requires this one', () => {
    const of = wired(
      planned('asid', { optional: ['ioremap'] }),
      planned('ioremap', { requires: ['shootdown'] }),
      planned('shootdown', { requires: ['asid'] }),
    );
    const { ioremap } = of('asid').got;
    expect(ioremap?.name).toBe('ioremap');
    expect(ioremap?.got['shootdown']?.got['asid']).toBe(of('asid'));
  });
});
