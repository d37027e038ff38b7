import { parseBytes } from '@tablewalk/base';
import { invalidateTlb, maintenance, tlbModel } from '@tablewalk/architecture';
import { tlbEngine } from '@tablewalk/arena';
import { defineManifest } from '@tablewalk/contracts';
import type { ReplacementPolicy } from '@tablewalk/contracts';
import { z } from 'zod';

const pageSize = z.union([z.string(), z.number()]).transform((text, context) => {
  const shift = Math.log2(parseBytes(text) ?? 0);
  if (Number.isInteger(shift) && shift >= 12 && shift <= 30) return 2 ** shift;
  context.addIssue({
    code: 'custom',
    message: `"${text}" is no page size: a power of two from 4KiB to 1GiB`,
  });
  return z.NEVER;
});

const entries = z.number().int().min(1).max(65536);
const level = z.strictObject({
  entries,
  ways: z.number().int().min(1).optional().describe('default: fully associative'),
  pageSizes: z
    .array(pageSize)
    .min(1)
    .optional()
    .describe('sizes that entries may have; default: any when fully associative, else 4KiB'),
});
type Level = z.infer<typeof level>;

const config = z.strictObject({
  entries: entries
    .optional()
    .describe('of the last level, in place of what it says; without a second level: of each first-level TLB'),
  first: z
    .union([
      z.strictObject({ unified: level }),
      z.strictObject({ instruction: level, data: level }),
      z.strictObject({ instruction: level, load: level, store: level }),
    ])
    .default({ instruction: { entries: 32 }, data: { entries: 32 } })
    .describe('first level: unified; instruction and data; or instruction, load and store'),
  second: level.optional().describe('unified second level; absent: none'),
  microFlush: z
    .boolean()
    .default(false)
    .describe('maintenance and context changes empty the first level (Cortex-A9)'),
});

export const manifest = defineManifest({
  id: 'tlb-set-associative',
  slot: 'tlb',
  version: '1.0.0',
  summary: 'Micro and main TLBs, split or unified, any geometry, ASIDs, global entries, mixed page sizes.',
  source: 'Cortex-A9 TRM DDI 0388I 6.2; ARM ARM DDI 0406C B3.9',
  requires: ['replacement'],
  facets: ['exact', 'architectural'],
  config,
  create({ entries, first, second, microFlush }, { replacement }, { cpus, seed }) {
    const sized = (knobs: Level): Level => (entries === undefined ? knobs : { ...knobs, entries });
    const spec = (knobs: Level) => structure(second === undefined ? sized(knobs) : knobs, replacement.policy);
    const levels =
      'unified' in first
        ? { unified: spec(first.unified) }
        : 'data' in first
          ? { instruction: spec(first.instruction), data: spec(first.data) }
          : { instruction: spec(first.instruction), load: spec(first.load), store: spec(first.store) };
    const main = second === undefined ? {} : { second: structure(sized(second), replacement.policy) };
    return {
      component: maintenance,
      invalidate: invalidateTlb,
      model: tlbModel,
      engine: (walker) => tlbEngine({ cpus, seed, first: levels, ...main, microFlush }, walker),
    };
  },
});

function structure({ entries, ways = entries, pageSizes }: Level, policy: ReplacementPolicy) {
  const sizes = pageSizes === undefined ? {} : { pageShifts: pageSizes.map((bytes) => Math.log2(bytes)) };
  return { entries, ways, replacement: policy, ...sizes };
}
