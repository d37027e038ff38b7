import { defineManifest } from '@tablewalk/contracts';
import { pkmap, pkmapKnobs } from '@tablewalk/pkmap';
import { z } from 'zod';

/**
 * kmap_high_get: DMA counts as a user of the slot while it works at its address, so that the slot cannot be
 * recycled. It may be called in any context, which is why kmap_lock is held with IRQs off.
 */
export const manifest = defineManifest({
  id: 'kmap-pkmap-pinned',
  slot: 'kmap',
  version: '1.0.0',
  summary: 'kmap over persistent mappings; DMA pins the mapping of a page (kmap_high_get) while it uses it.',
  source: 'Linux commit 3297e760776a, highmem: atomic highmem kmap page pinning (2.6.30); spec/kmap.md 2, 3',
  requires: ['cache', 'shootdown'],
  needs: [
    { slot: 'shootdown', facet: 'kernel-ranges', why: 'a wrap of the cursor flushes kernel addresses' },
  ],
  config: z.strictObject({
    ...pkmapKnobs,
    irqSafe: z
      .boolean()
      .default(true)
      .describe('kmap_lock is held with IRQs off (ARCH_NEEDS_KMAP_HIGH_GET); false: a handler can deadlock'),
  }),
  create: (config, deps) => pkmap({ ...config, highGet: 'pinned' }, deps),
});
