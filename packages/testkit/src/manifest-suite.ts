import { SLOTS } from '@tablewalk/contracts';
import type { Manifest } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { installedPlugins } from './installation.ts';
import { deepFreeze } from './plain-data.ts';
import { runSmall } from './run-small.ts';
import { machineAround, openMachine, planSmall } from './small-machine.ts';
import { syntheticTrace } from './synthetic-trace.ts';

const FIELDS = [
  'id',
  'slot',
  'version',
  'summary',
  'source',
  'requires',
  'optional',
  'companions',
  'facets',
  'needs',
  'config',
  'format',
  'imageBytes',
  'refuses',
  'create',
];

/** What every manifest promises, whatever its slot. */
export function manifestSuite(manifest: Manifest): void {
  const { id, slot } = manifest;

  describe(`manifest of ${id}`, () => {
    it('is plain data that says what the plugin is', () => {
      expect(Object.keys(manifest).filter((field) => !FIELDS.includes(field))).toEqual([]);
      expect(Object.keys(SLOTS)).toContain(slot);
      expect(id).toMatch(new RegExp(`^${slot}-[a-z0-9]+(-[a-z0-9]+)*$`));
      expect(manifest.version).toMatch(/^\d+\.\d+\.\d+$/);
      for (const text of [manifest.summary, manifest.source]) expect(text.trim().length).toBeGreaterThan(3);
      const { optional = [] } = manifest;
      const slots = [...manifest.requires, ...optional, ...(manifest.needs ?? []).map((need) => need.slot)];
      for (const required of slots) expect(Object.keys(SLOTS)).toContain(required);
      expect(new Set(manifest.requires).size).toBe(manifest.requires.length);
      for (const named of [manifest.requires, optional]) expect(named).not.toContain(slot);
      expect(optional.filter((each) => manifest.requires.includes(each))).toEqual([]);
    });

    it('has the name of its folder', () => {
      expect(installedPlugins.get(id), `plugins/${id} exports another manifest, or none`).toBe(manifest);
    });

    it('has a default for every knob, and refuses a knob that it does not have', () => {
      const defaults = manifest.config.safeParse({});
      expect(defaults.success, 'the config of {}').toBe(true);
      expect(manifest.config.safeParse({ 'no-such-knob': 1 }).success).toBe(false);
      expect(JSON.parse(JSON.stringify(defaults.data)), 'the config goes into histories as JSON').toEqual(
        defaults.data,
      );
      expect(
        manifest.config.safeParse(defaults.data).data,
        'a config written out reads back the same',
      ).toEqual(defaults.data);
    });

    it('is created in a machine of defaults, without touching its config or what it is given', () => {
      const machine = machineAround(manifest);
      const [planned] = planSmall(machine).plugins.filter((each) => each.manifest.id === id);
      expect(planned?.config).toEqual(manifest.config.parse({}));
      const frozen: Manifest = {
        ...manifest,
        create: (config, deps, facts) =>
          manifest.create(deepFreeze(config), Object.freeze(deps), deepFreeze(facts)),
      };
      expect(() => openMachine({ ...machine, use: [frozen] })).not.toThrow();
    });

    it('makes plugins that know nothing of each other: two machines side by side run as one alone', () => {
      const machine = machineAround(manifest);
      const work = [21, 22].map((seed) => syntheticTrace({ seed, references: 240, pages: 12 }));
      const alone = runSmall(openMachine(machine).built, work).machine.digest();
      const [first, second] = [openMachine(machine).built, openMachine(machine).built];
      const other = runSmall(first, [...work].reverse()).machine.digest();
      expect(runSmall(second, work).machine.digest()).toBe(alone);
      expect(runSmall(openMachine(machine).built, [...work].reverse()).machine.digest()).toBe(other);
    });
  });
}
