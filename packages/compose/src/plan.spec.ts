import { ConfigError } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import type { Manifest, SlotName } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { applyOverrides, DEFAULT_PLUGINS, parseMachine, planMachine } from './index.ts';
import type { Catalogue } from './index.ts';

/** A catalogue of empty plugins, one for each default, that may be changed for a test. */
function catalogueWith(...extra: readonly Manifest[]): Catalogue {
  const manifests = new Map<string, Manifest>();
  for (const [slot, id] of Object.entries(DEFAULT_PLUGINS)) manifests.set(id, empty(slot as SlotName, id));
  for (const manifest of extra) manifests.set(manifest.id, manifest);
  return {
    get: (name) => manifests.get(name),
    idsOf: (slot) => [...manifests.values()].filter((manifest) => manifest.slot === slot).map(({ id }) => id),
  };
}

const empty = (slot: SlotName, id: string, more: Partial<Manifest> = {}): Manifest =>
  defineManifest({
    id,
    slot,
    version: '1.0.0',
    summary: '',
    source: '',
    requires: [],
    config: z.strictObject({ knob: z.number().default(7) }),
    create: () => ({}) as never,
    ...more,
  } as never);

function refusal(machine: unknown, ...extra: readonly Manifest[]): ConfigError {
  try {
    planMachine(parseMachine(machine, 'm.yaml'), catalogueWith(...extra), 'm.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the machine was accepted');
}

describe('wiring faults are told before the first step', () => {
  it('a slot that nobody fills, with who needs it', () => {
    const shootdown = empty('shootdown', 'shootdown-needy', { requires: ['tlb'] });
    const error = refusal({ slots: { tlb: 'none', shootdown: 'shootdown-needy' } }, shootdown);
    expect(error.code).toBe('SLOT_UNFILLED');
    expect(error.report.why).toContain('shootdown-needy (slot shootdown)');
    expect(error.report.at).toBe('m.yaml#/slots/tlb');
    expect(error.report.fix).toBe('add tlb: "tlb-set-associative" to the slots');
  });

  it('a slot that is empty by default, with the first plugin that could fill it', () => {
    const dma = empty('dma', 'dma-needy', { requires: ['kmap'] });
    const [first, second] = [empty('kmap', 'kmap-first'), empty('kmap', 'kmap-second')];
    const machine = { slots: { dma: 'dma-needy' } };
    expect(refusal(machine, dma, first, second).report.fix).toBe('add kmap: "kmap-first" to the slots');
    expect(refusal(machine, dma).report.fix).toBe('install a plugin for slot "kmap"');
  });

  it('a circle, with its path', () => {
    const tlb = empty('tlb', 'tlb-a', { requires: ['cache'] });
    const cache = empty('cache', 'cache-b', { requires: ['asid'] });
    const asid = empty('asid', 'asid-c', { requires: ['tlb'] });
    const error = refusal({ slots: { tlb: 'tlb-a', cache: 'cache-b', asid: 'asid-c' } }, tlb, cache, asid);
    expect(error.code).toBe('DEPENDENCY_CYCLE');
    expect(error.report.what).toContain('tlb-a -> cache-b -> asid-c -> tlb-a');
  });

  it('two plugins for one slot', () => {
    expect(refusal({ slots: { tlb: ['tlb-a', 'tlb-b'] } }).code).toBe('SLOT_FILLED_TWICE');
  });

  it('a misspelt plugin, with the nearest name', () => {
    const error = refusal({ slots: { 'mmu-gather': 'mmu-gather-bached' } });
    expect(error.code).toBe('PLUGIN_UNKNOWN');
    expect(error.report.fix).toBe('did you mean "mmu-gather-batched"?');
  });

  it('a plugin in a place that is not its own', () => {
    expect(refusal({ slots: { tlb: 'cache-pipt' } }).code).toBe('SLOT_MISMATCH');
  });

  it('plugins that cannot work together, with the reason', () => {
    const needs = [{ slot: 'cache', facet: 'coherent', why: 'it snoops' }] as const;
    const error = refusal({ slots: { tlb: 'tlb-picky' } }, empty('tlb', 'tlb-picky', { needs }));
    expect(error.code).toBe('FACETS_INCOMPATIBLE');
    expect(error.report.why).toBe('it needs "coherent" of slot "cache": it snoops');
  });

  it('a plugin that this machine is too large for', () => {
    const refuses: Manifest['refuses'] = (_config, { cpus }) => (cpus > 1 ? 'one CPU only' : undefined);
    const error = refusal({ cpus: 2, slots: { cache: 'cache-up' } }, empty('cache', 'cache-up', { refuses }));
    expect([error.code, error.report.why]).toEqual(['PLUGIN_REFUSES', 'one CPU only']);
  });

  it('an unknown slot, key and knob, with the nearest name where there is one', () => {
    expect(refusal({ slots: { tbl: 'x' } }).report.fix).toBe('did you mean "tlb"?');
    expect(refusal({ cpu: 2 }).report.fix).toBe('did you mean "cpus"?');
    expect(refusal({ slots: { tlb: { use: 'tlb-set-associative', nob: 1 } } }).code).toBe(
      'CONFIG_UNKNOWN_KEY',
    );
  });

  it('a misspelt knob, with the knobs that the plugin has, not the keys of a machine', () => {
    const config = z.strictObject({
      ceiling: z.boolean().default(true),
      inner: z.strictObject({ size: z.number() }),
    });
    const knobbed = empty('cache', 'cache-knobbed', { config });
    const told = (knobs: object): unknown => {
      const { why, fix } = refusal({ slots: { cache: { use: 'cache-knobbed', ...knobs } } }, knobbed).report;
      return [why, fix];
    };
    expect(told({ inner: { size: 1 }, ceilng: false })).toEqual([
      'the keys are: ceiling, inner',
      'did you mean "ceiling"?',
    ]);
    expect(told({ inner: { size: 1, sise: 2 } })).toEqual(['the keys are: size', 'did you mean "size"?']);
  });

  it('values that cannot be', () => {
    expect(refusal({ cpus: 0 }).code).toBe('CONFIG_INVALID');
    expect(refusal({ memory: { ram: 'lots' } }).code).toBe('CONFIG_INVALID');
    expect(refusal({ memory: { ram: '4097' } }).code).toBe('MEMORY_UNUSABLE');
    expect(refusal({ checkers: ['a', 'a'] }, empty('checker', 'a')).code).toBe('CHECKER_TWICE');
    expect(refusal({ slots: { tlb: { use: 'tlb-set-associative', with: { cost: 'x' } } } }).code).toBe(
      'WITH_NOT_REQUIRED',
    );
  });
});

describe('companions', () => {
  const three = empty('page-table', 'page-table-three', { companions: { pgd: 'pgd-three' } });
  const pgds = [empty('pgd', 'pgd-three'), empty('pgd', 'pgd-other')];
  const slotsOf = (slots: object): Readonly<Record<string, unknown>> => {
    const config = parseMachine({ slots: { 'page-table': 'page-table-three', ...slots } }, 'm');
    return planMachine(config, catalogueWith(three, ...pgds), 'm').effective.slots;
  };

  it('fill the slots that a machine leaves out, in place of the defaults', () => {
    expect(slotsOf({})['pgd']).toEqual({ use: 'pgd-three', knob: 7 });
    expect(slotsOf({ pgd: { use: 'preset', knob: 8 } })['pgd']).toEqual({ use: 'pgd-three', knob: 8 });
  });

  it('give way to what a machine says, "none" too', () => {
    expect(slotsOf({ pgd: 'pgd-other' })['pgd']).toEqual({ use: 'pgd-other', knob: 7 });
    expect(slotsOf({ pgd: 'none' })['pgd']).toBeUndefined();
  });

  it('that are not there are told as any plugin that is missing', () => {
    const lost = empty('page-table', 'page-table-three', { companions: { pgd: 'pgd-thre' } });
    expect(refusal({ slots: { 'page-table': 'page-table-three' } }, lost, ...pgds).report.fix).toBe(
      'did you mean "pgd-three"?',
    );
  });
});

describe('the effective config', () => {
  it('has every default and knob written out', () => {
    const { effective } = planMachine(parseMachine({}, 'm.yaml'), catalogueWith(), 'm.yaml');
    expect(effective).toMatchObject({
      cpus: 1,
      memory: { ram: 2 ** 30, base: 0x80000000 },
      seed: 1,
      checkers: [],
    });
    expect(effective.slots['tlb']).toEqual({ use: 'tlb-set-associative', knob: 7 });
    const filled = Object.entries(DEFAULT_PLUGINS).filter(([, id]) => id !== 'none');
    expect(Object.keys(effective.slots).sort()).toEqual(filled.map(([slot]) => slot).sort());
  });

  it('is a machine file itself, and means the same', () => {
    const once = planMachine(
      parseMachine({ cpus: 2, slots: { tlb: 'none' } }, 'm'),
      catalogueWith(),
      'm',
    ).effective;
    const twice = planMachine(parseMachine(once, 'm'), catalogueWith(), 'm').effective;
    expect(twice).toMatchObject({ ...once, slots: once.slots });
  });
});

describe('--set', () => {
  const set = (machine: unknown, path: string, value: unknown): unknown =>
    applyOverrides(machine, [{ path: path.split('.'), value }]);

  it('lays a value over a machine file and leaves the file alone', () => {
    const file = { memory: { ram: '1GiB', base: 0 } };
    expect(set(file, 'memory.ram', '4MiB')).toEqual({ memory: { ram: '4MiB', base: 0 } });
    expect(file.memory.ram).toBe('1GiB');
  });

  it('gives a knob to a plugin that was named alone', () => {
    expect(set({ slots: { tlb: 'x' } }, 'slots.tlb.entries', 8)).toEqual({
      slots: { tlb: { use: 'x', entries: 8 } },
    });
  });

  it('gives a knob to the plugin that will be in a slot that the file leaves out', () => {
    const machine = set({}, 'slots.cost.knob', 5);
    expect(machine).toEqual({ slots: { cost: { use: 'preset', knob: 5 } } });
    const { effective } = planMachine(parseMachine(machine, 'm'), catalogueWith(), 'm');
    expect(effective.slots['cost']).toEqual({ use: 'cost-table', knob: 5 });
  });

  it('refuses what is no key of a machine, with the nearest', () => {
    expect(() => set({}, 'slot.tlb', 'x')).toThrow(/did you mean "slots"/);
    expect(() => set({}, 'slots.mmugather', 'x')).toThrow(/did you mean "mmu-gather"/);
    expect(() => set({ checkers: [] }, 'checkers.3', 'x')).toThrow(/no element "3"/);
  });
});
