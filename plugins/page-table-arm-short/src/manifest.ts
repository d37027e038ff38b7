import { defineManifest } from '@tablewalk/contracts';
import { memoryMapConflict, memoryMapKnobs } from '@tablewalk/memory-map';
import { z } from 'zod';
import { armShort } from './arm-short.ts';
import { armShortFormat } from './format/index.ts';
import { PTE_LAYOUTS } from './pte-page.ts';
import { mapConfigOf } from './tables.ts';

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
    ...memoryMapKnobs,
    pteLayout: z
      .enum(PTE_LAYOUTS)
      .default('linux-first')
      .describe(
        'page of second-level tables: Linux tables first (2.6.38 and later), or the hardware tables (before)',
      ),
  }),
  refuses(config, machine) {
    const { ramBase, ramBytes } = machine;
    if (ramBase + ramBytes > 2 ** 32) return 'RAM ends above 4 GiB, which a small page cannot address';
    if (ramBase % 2 ** 20 !== 0) return 'RAM does not begin at a MiB, and the kernel maps it by sections';
    return memoryMapConflict(mapConfigOf(config, machine));
  },
  format: armShortFormat,
  create: (config, { frames }, machine) => armShort(config, frames, machine),
});
