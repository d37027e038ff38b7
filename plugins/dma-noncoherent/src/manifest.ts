import { defineManifest } from '@tablewalk/contracts';
import { z } from 'zod';
import { CORES, noncoherentDma } from './noncoherent.ts';

export const manifest = defineManifest({
  id: 'dma-noncoherent',
  slot: 'dma',
  version: '1.0.0',
  summary: 'Streaming DMA beside caches that do not snoop: cleans and invalidates line by line.',
  source: 'Linux arch/arm/mm/dma-mapping.c, dma_cache_maint_page; proc-arm926.S; spec/caches-and-dma.md 4.1',
  requires: ['kmap', 'cache'],
  config: z.strictObject({
    linesPerPage: z
      .number()
      .int()
      .refine((lines) => Number.isInteger(Math.log2(lines)) && lines <= 1024, 'a power of two, at most 1024')
      .default(2)
      .describe('steps of the loop over a page; 128 are lines of 32 bytes, 2 its halves'),
    core: z
      .enum(CORES)
      .default('arm926')
      .describe('whose operations: the rows of spec/caches-and-dma.md 4.1'),
  }),
  create: (config, { kmap, cache }) => noncoherentDma(config, kmap, cache),
});
