import { parseBytes } from '@tablewalk/base';
import { z } from 'zod';
import type { MemoryMapConfig } from './memory-map.ts';

const address = (standard: number, what: string): z.ZodType<number> =>
  z
    .union([z.string(), z.number()])
    .default(standard)
    .transform((text, context) => {
      const bytes = parseBytes(text);
      if (bytes !== undefined && bytes <= 2 ** 32 && bytes % 4096 === 0) return bytes;
      context.addIssue({ code: 'custom', message: `"${text}" is no multiple of a page below 4 GiB` });
      return z.NEVER;
    })
    .describe(what) as unknown as z.ZodType<number>;

/**
 * The knobs that every format for ARM Linux has, with the values of a kernel of today (5.12 and later). What the
 * machine gives (RAM, CPUs) is no knob.
 */
export const memoryMapKnobs = {
  pageOffset: address(0xc000_0000, 'PAGE_OFFSET: 3G/1G; 2G/2G, 1G/3G, or 0xc1000000, moved for modules'),
  modules: address(16 * 2 ** 20, 'bytes of modules space below PAGE_OFFSET; 8MiB for Thumb-2'),
  highmem: z.boolean().default(true).describe('CONFIG_HIGHMEM: the 2 MiB below PAGE_OFFSET are for pkmap'),
  vmallocReserve: address(240 * 2 ** 20, 'vmalloc=: bytes that lowmem leaves for vmalloc space'),
  vmallocEnd: address(0xff80_0000, 'VMALLOC_END'),
  fixmapStart: address(0xffc8_0000, 'FIXADDR_START'),
  fixmapEnd: address(0xfff0_0000, 'FIXADDR_END'),
  kmapSlots: z.number().int().min(1).max(64).default(16).describe('KM_MAX_IDX; 33 with DEBUG_HIGHMEM'),
  vectors: z.enum(['high', 'low']).default('high').describe('vectors page at 0xffff0000, or at 0'),
};

export type MemoryMapKnobs = Omit<MemoryMapConfig, 'ramBase' | 'ramBytes' | 'cpus' | 'modulesBytes'> & {
  readonly modules: number;
};

/** Knobs and machine together. */
export const memoryMapConfig = (
  { modules: modulesBytes, ...knobs }: MemoryMapKnobs,
  machine: { readonly ramBase: number; readonly ramBytes: number; readonly cpus: number },
): MemoryMapConfig => {
  const { ramBase, ramBytes, cpus } = machine;
  return { ...knobs, modulesBytes, ramBase, ramBytes, cpus };
};
