import { parseBytes } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { identityPageTable } from './identity.ts';

const pageSize = z
  .union([z.string(), z.number()])
  .default('4KiB')
  .transform((text, context) => {
    const bytes = parseBytes(text);
    if (bytes !== undefined && bytes >= 4096 && bytes <= 2 ** 30 && Number.isInteger(Math.log2(bytes)))
      return bytes;
    context.addIssue({
      code: 'custom',
      message: `"${text}" is no page size: a power of two from 4KiB to 1GiB`,
    });
    return z.NEVER;
  })
  .describe('bytes that one TLB entry covers');
const ranges = z
  .array(z.strictObject({ start: z.number().int().min(0), end: z.number().int().min(0) }))
  .default([]);

export const manifest = defineManifest({
  id: 'page-table-identity',
  slot: 'page-table',
  version: '1.0.0',
  summary: 'VA = PA at any width; no faults, no tables: for pure TLB and cache studies.',
  source: 'none: it stands for the absence of a format',
  requires: [],
  companions: { pgd: 'pgd-none' },
  facets: ['exact', 'no-tables'],
  config: z.strictObject({
    vaBits: z
      .number()
      .int()
      .min(32)
      .max(42)
      .default(37)
      .describe('bits of an address; valgrind on x86-64 uses 37'),
    pageSize,
    sections: ranges.describe('virtual ranges mapped by 1 MiB sections'),
    global: ranges.describe('virtual ranges whose entries are global'),
  }),
  create: (config) => identityPageTable(config),
});
