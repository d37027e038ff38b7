import { defineManifest } from '@tablewalk/contracts';
import { pkmap, pkmapKnobs } from '@tablewalk/pkmap';
import { z } from 'zod';

/**
 * As mm/highmem.c was until 2.6.29: nothing keeps a slot from being recycled while dma_map_page works at the
 * address that page_address gave. Safe only where caches are physically tagged (spec/kmap.md, 3, KM-1).
 */
export const manifest = defineManifest({
  id: 'kmap-pkmap',
  slot: 'kmap',
  version: '1.0.0',
  summary: 'kmap over persistent mappings; DMA uses page_address as it finds it, and loses data on VIVT.',
  source: 'Linux mm/highmem.c before commit 3297e760776a (2.6.30); spec/kmap.md 2',
  requires: ['cache', 'shootdown'],
  needs: [
    { slot: 'shootdown', facet: 'kernel-ranges', why: 'a wrap of the cursor flushes kernel addresses' },
  ],
  config: z.strictObject(pkmapKnobs),
  create: (config, deps) => pkmap({ ...config, highGet: 'unpinned', irqSafe: false }, deps),
});
