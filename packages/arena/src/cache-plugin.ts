import { parseBytes } from '@tablewalk/base';
import { order } from '@tablewalk/contracts';
import type {
  CacheOperation,
  CachePlugin,
  Component,
  MachineFacts,
  ReplacementPolicy,
  Routine,
} from '@tablewalk/contracts';
import type { VocabularyFactOf } from '@tablewalk/contracts';
import { z } from 'zod';
import { cacheHierarchy } from './cache-hierarchy.ts';
import { cacheModel } from './cache-model.ts';
import { maintainCache, maintained } from './cache-orders.ts';
import type { MaintainCache } from './cache-orders.ts';
import type { AddressSpace, CacheSpec } from './cache-spec.ts';

/**
 * What the cache plugins have in common: the knobs of a hierarchy, maintenance as orders and facts, the
 * engine, and the architectural model. A plugin adds how its L1s are indexed and tagged, and what Linux
 * must flush for it.
 */
const size = (preset: string) =>
  z
    .union([z.string(), z.number()])
    .default(preset)
    .transform((text, context) => {
      const bytes = parseBytes(text);
      if (bytes !== undefined && bytes > 0) return bytes;
      context.addIssue({ code: 'custom', message: `"${text}" is no cache size; write 32KiB` });
      return z.NEVER;
    });

const level = (preset: { size: string; ways: number; line: number }) =>
  z.strictObject({
    size: size(preset.size).describe('bytes'),
    ways: z.number().int().min(1).default(preset.ways),
    line: z.number().int().min(4).default(preset.line).describe('bytes of a line'),
  });

const L1 = { size: '32KiB', ways: 4, line: 32 };
const outer = level({ size: '512KiB', ways: 8, line: 32 }).extend({
  shared: z.boolean().default(true).describe('one for all CPUs'),
});

export const cacheConfig = z.strictObject({
  instruction: level(L1).prefault({}).describe('L1 instruction cache'),
  data: level(L1).prefault({}).describe('L1 data cache'),
  unified: level(L1).optional().describe('one L1 for both, in place of instruction and data'),
  outer: outer.optional().describe('unified L2, physically indexed and tagged; absent: none'),
  writePolicy: z.enum(['write-back', 'write-through']).default('write-back').describe('of the L1s'),
  walks: z.enum(['l1d', 'l2', 'memory']).default('l1d').describe('where table walks look first'),
  accounting: z
    .enum(['line', 'drcachesim', 'cachegrind', 'pycachesim'])
    .default('line')
    .describe('whose rules of counting: golden/traces README'),
  classify: z.boolean().default(false).describe('count misses as compulsory, capacity, conflict'),
  addressBits: z.number().int().min(32).max(40).default(37).describe('widest address that will come'),
});
export type CacheConfig = z.infer<typeof cacheConfig>;

export interface CacheKind {
  readonly index: AddressSpace;
  readonly tag: AddressSpace;
  /** What switch_mm flushes. */
  readonly onSwitch: 'nothing' | 'everything';
  /** Does unmapping a page flush its lines? */
  readonly flushesPages: boolean;
}

const maintenance: Component<Record<string, never>, MaintainCache, VocabularyFactOf<'CacheMaintained'>> = {
  evolvesOn: [],
  initial: () => ({}),
  decide: (command) => [maintained(command)],
  evolve() {},
};

export function cachePlugin(
  kind: CacheKind,
  config: CacheConfig,
  replacement: ReplacementPolicy,
  machine: MachineFacts,
): CachePlugin {
  const { index, tag } = kind;
  const spec = ({
    size: sizeBytes,
    ways,
    line: lineBytes,
  }: {
    size: number;
    ways: number;
    line: number;
  }): CacheSpec => ({
    sizeBytes,
    ways,
    lineBytes,
    replacement,
  });
  const { unified, instruction, data } = config;
  const dataBytes = (unified ?? data).size;
  const whole = (
    cpu: number,
    operation: CacheOperation,
    side: 'data' | 'instruction',
    bytes: number,
  ): Routine => order(maintainCache({ cpu, operation, side, whole: true, va: 0, pa: 0, bytes }));
  return {
    component: maintenance,
    engine: () =>
      cacheHierarchy({
        cpus: machine.cpus,
        seed: machine.seed,
        vaBits: config.addressBits,
        paBits: config.addressBits,
        l1:
          unified === undefined
            ? { instruction: { ...spec(instruction), index, tag }, data: { ...spec(data), index, tag } }
            : { unified: { ...spec(unified), index, tag } },
        ...(config.outer === undefined ? {} : { l2: { ...spec(config.outer), shared: config.outer.shared } }),
        writePolicy: config.writePolicy,
        walks: config.outer === undefined && config.walks === 'l2' ? 'memory' : config.walks,
        accounting: config.accounting,
        classify: config.classify,
      }),
    *switchMm({ cpu }) {
      if (kind.onSwitch === 'nothing') return;
      yield* whole(cpu, 'clean-invalidate', 'data', dataBytes);
      yield* whole(cpu, 'invalidate', 'instruction', 0);
    },
    *flushKmaps({ cpu }) {
      if (tag === 'va') yield* whole(cpu, 'clean-invalidate', 'data', dataBytes);
    },
    maintain: ({ cpu }, operation, va, pa, bytes) =>
      order(maintainCache({ cpu, operation, side: 'data', whole: false, va, pa, bytes })),
    *flushPage({ cpu }, _mm, va, pfn) {
      if (!kind.flushesPages) return;
      const range = { whole: false, va, pa: pfn * 4096, bytes: 4096 };
      yield* order(maintainCache({ cpu, operation: 'clean-invalidate', side: 'both', ...range }));
    },
    model: (parts) => cacheModel(tag, config.writePolicy, parts),
  };
}
