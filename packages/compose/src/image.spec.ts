import { ConfigError } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import type { Manifest, SlotName } from '@tablewalk/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DEFAULT_PLUGINS, parseMachine, planMachine } from './index.ts';

const empty = (slot: SlotName, id: string, imageBytes?: number): Manifest =>
  defineManifest({
    id,
    slot,
    version: '1.0.0',
    summary: '',
    source: '',
    requires: [],
    config: z.strictObject({}),
    create: () => ({}) as never,
    ...(imageBytes === undefined ? {} : { imageBytes: () => imageBytes }),
  } as never);

/** What plugins are told of a machine whose page-table plugin wants so much of the kernel's image. */
function imageOf(imageBytes: number | undefined, ram: string): number | undefined {
  const manifests = new Map<string, Manifest>();
  for (const [slot, id] of Object.entries(DEFAULT_PLUGINS))
    manifests.set(id, empty(slot as SlotName, id, slot === 'page-table' ? imageBytes : undefined));
  const catalogue = { get: (name: string) => manifests.get(name), idsOf: () => [] };
  return planMachine(parseMachine({ cpus: 1, memory: { ram } }, 'm.yaml'), catalogue, 'm.yaml').machine
    .imageBytes;
}

describe("the kernel's image", () => {
  it('is what plugins ask for, in whole pages; where none asks there is none', () => {
    expect(imageOf(undefined, '1MiB')).toBeUndefined();
    expect(imageOf(0, '1MiB')).toBeUndefined();
    expect(imageOf(0x8000, '1MiB')).toBe(0x8000);
    expect(imageOf(0x8001, '1MiB')).toBe(0x9000);
  });

  it('leaves half of RAM at least', () => {
    expect(imageOf(0x8000, '64KiB')).toBe(0x8000);
    expect(() => imageOf(0x9000, '64KiB')).toThrow(ConfigError);
  });
});
