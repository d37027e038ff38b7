import { parseBytes } from '@tablewalk/base';
import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { armShort } from './arm-short.ts';
import { armShortFormat } from './format/index.ts';
import { PTE_LAYOUTS } from './pte-page.ts';

const OFFSETS = [0x4000_0000, 0x8000_0000, 0xc000_0000];

export const manifest = defineManifest({
  id: 'page-table-arm-short',
  slot: 'page-table',
  version: '1.0.0',
  summary: 'ARM short descriptors, two levels, as Linux folds them: sections and small pages.',
  source: 'ARM ARM DDI 0406C B3.5; Linux arch/arm/include/asm/pgtable-2level.h',
  requires: ['frames'],
  companions: { pgd: 'pgd-arm-classic' },
  facets: ['exact', 'architectural', 'demand-paging', 'vmalloc', 'pgd', 'pgd-folded'],
  config: z.strictObject({
    pageOffset: z
      .union([z.string(), z.number()])
      .default(0xc000_0000)
      .transform((text, context) => {
        const address = parseBytes(text);
        if (address !== undefined && OFFSETS.includes(address)) return address;
        context.addIssue({ code: 'custom', message: 'PAGE_OFFSET is 0x40000000, 0x80000000 or 0xc0000000' });
        return z.NEVER;
      })
      .describe('PAGE_OFFSET: where the kernel begins (1G/3G, 2G/2G or 3G/1G)'),
    pteLayout: z
      .enum(PTE_LAYOUTS)
      .default('linux-first')
      .describe(
        'page of second-level tables: Linux tables first (2.6.38 and later), or the hardware tables (before)',
      ),
    vectors: z
      .enum(['high', 'low'])
      .default('high')
      .describe('where the vectors page is: at 0xffff0000, or at 0 in every address space'),
  }),
  refuses(_config, { ramBase, ramBytes }) {
    if (ramBase + ramBytes > 2 ** 32) return 'RAM ends above 4 GiB, which a small page cannot address';
    if (ramBase % 2 ** 20 !== 0) return 'RAM does not begin at a MiB, and the kernel maps it by sections';
    return undefined;
  },
  format: armShortFormat,
  create: (config, { frames }, machine) => armShort(config, frames, machine),
});
