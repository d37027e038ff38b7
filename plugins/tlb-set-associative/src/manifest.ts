import { ConfigError, parseBytes } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import type { ReplacementPolicy } from '@tablewalk/contracts';
import { z } from 'zod';
import { invalidateTlb, maintenance } from './maintenance.ts';
import { setAssociativeTlb } from './tlb-engine.ts';

const level = z.strictObject({
  entries: z.number().int().min(1).max(65536),
  ways: z.number().int().min(1).optional().describe('default: fully associative'),
});
type Level = z.infer<typeof level>;

const pageSize = z.union([z.string(), z.number()]).transform((text, context) => {
  const shift = Math.log2(parseBytes(text) ?? 0);
  if (Number.isInteger(shift) && shift >= 12 && shift <= 30) return 2 ** shift;
  context.addIssue({ code: 'custom', message: `"${text}" is no page size: a power of two from 4KiB to 1GiB` });
  return z.NEVER;
});

const config = z.strictObject({
  first: z
    .union([
      z.strictObject({ unified: level }),
      z.strictObject({ instruction: level, data: level }),
    ])
    .default({ instruction: { entries: 32 }, data: { entries: 32 } })
    .describe('first level: unified, or instruction and data'),
  second: level.optional().describe('unified second level; absent: none'),
  pageSizes: z
    .array(pageSize)
    .min(1)
    .default([4096, 2 ** 20])
    .describe('sizes that entries may have; the first is looked for first'),
  microFlush: z.boolean().default(false).describe('maintenance and context changes empty the first level (Cortex-A9)'),
});

const withWays = ({ entries, ways = entries }: Level): { entries: number; ways: number } => ({ entries, ways });

function refuseWays(policy: ReplacementPolicy, ways: number): void {
  const reason = policy.refuses?.(ways);
  if (reason === undefined) return;
  throw new ConfigError('TLB_GEOMETRY', {
    what: `the replacement policy cannot serve a TLB of ${ways} ways`,
    why: reason,
    fix: 'choose other ways, or another policy (slots.tlb.with.replacement)',
    at: 'slots.tlb',
  });
}

function levelsOf({ first, second }: z.infer<typeof config>): Level[] {
  const levels = 'unified' in first ? [first.unified] : [first.instruction, first.data];
  return second === undefined ? levels : [...levels, second];
}

export const manifest = defineManifest({
  id: 'tlb-set-associative',
  slot: 'tlb',
  version: '1.0.0',
  summary: 'Micro and main TLBs, split or unified, any geometry, ASIDs, global entries, mixed page sizes.',
  source: 'Cortex-A9 TRM DDI 0388I 6.2; ARM ARM DDI 0406C B3.9',
  requires: ['replacement'],
  facets: ['exact'],
  config,
  refuses(knobs) {
    for (const { entries, ways = entries } of levelsOf(knobs))
      if (entries % ways !== 0) return `${entries} entries cannot be divided into sets of ${ways} ways`;
    return undefined;
  },
  create: (knobs, { replacement }, { cpus, seed }) => ({
    component: maintenance,
    invalidate: invalidateTlb,
    engine(walker) {
      const { first, second, pageSizes, microFlush } = knobs;
      for (const { entries, ways = entries } of levelsOf(knobs)) refuseWays(replacement.policy, ways);
      return setAssociativeTlb(
        {
          cpus,
          seed,
          policy: replacement.policy,
          first:
            'unified' in first
              ? { unified: withWays(first.unified) }
              : { instruction: withWays(first.instruction), data: withWays(first.data) },
          ...(second === undefined ? {} : { second: withWays(second) }),
          shifts: pageSizes.map((bytes) => Math.log2(bytes)),
          microFlush,
        },
        walker,
      );
    },
  }),
});
