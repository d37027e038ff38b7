import { defineManifest } from '@tablewalk/contracts';
import { memoryMapConflict, memoryMapKnobs } from '@tablewalk/memory-map';
import { z } from 'zod';
import { armLpae, mapConfigOf } from './arm-lpae.ts';
import { armLpaeFormat } from './format/index.ts';
import { PMD_SIZE, TEXT_OFFSET } from './geometry.ts';

const { vectors: _alwaysHigh, ...mapKnobs } = memoryMapKnobs;

export const manifest = defineManifest({
  id: 'page-table-arm-lpae',
  slot: 'page-table',
  version: '1.0.0',
  summary: 'ARM long descriptors (LPAE), three levels as Linux has them: blocks of 2 MiB and pages.',
  source: 'ARM ARM DDI 0406C B3.6; Linux arch/arm/include/asm/pgtable-3level.h; spec/page-tables.md 5',
  requires: ['frames'],
  companions: { pgd: 'pgd-arm-lpae-merged' },
  facets: ['exact', 'architectural', 'demand-paging', 'vmalloc', 'pgd', 'pgd-lpae'],
  config: z.strictObject({
    ...mapKnobs,
    generation: z
      .enum(['modern', 'v3.3'])
      .default('modern')
      .describe('where L_PTE_RDONLY is: bit 58, or AP[2] itself, which is wrong (HB-24b)'),
    truncatedPredicates: z
      .boolean()
      .default(false)
      .describe('predicates of bits above 31 come through 32 bits: pte_dirty is never true, wrong (HB-24a)'),
  }),
  format: armLpaeFormat,
  imageBytes: () => TEXT_OFFSET,
  refuses(config, machine) {
    if (machine.ramBase % PMD_SIZE !== 0)
      return 'RAM does not begin at a multiple of 2MiB, and the kernel maps it by blocks';
    // A machine of less than a block has no lowmem to map, which is no reason to refuse it.
    const ramBytes = Math.max(machine.ramBytes, PMD_SIZE);
    return memoryMapConflict(mapConfigOf(config, { ...machine, ramBytes }));
  },
  create: (config, { frames }, machine) => armLpae(config, frames, machine),
});
