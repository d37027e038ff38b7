import { loadLine, order, storeLine } from '@tablewalk/contracts';
import type { Programs, Slots } from '@tablewalk/contracts';
import { awaitTransfer, bufferTaken, device, startTransfer, takeBuffer, TORN } from './device.ts';
import type { MachineStory, Overrides } from './story.ts';

/** The last page of memory of the Cortex-A9: its machine file has 1 GiB from 0x80000000 on. */
const P = 0xbfff_f000;
const HALVES = [0, 2048] as const;
const dma = (core: string): Overrides => ({ 'slots.dma': { use: 'dma-noncoherent', core } });

/**
 * HB-28 of spec/historical-bugs-mapping.md, DMA-3 and DMA-4 of spec/caches-and-dma.md. The page has a kernel
 * address all the time, as lowmem has; kmap stands for that. There is no outer cache here, so that the order of
 * inner and outer maintenance (DMA-1 and DMA-2) is no part of the story.
 */
export const dmaSpeculation: MachineStory = {
  kind: 'machine',
  id: 'dma-speculation',
  title: 'a core that prefetches into a DMA buffer reads what was there before',
  source: 'Linux commit 2ffe2da3e716, ARM: dma-mapping: fix for speculative prefetching (2.6.34)',
  about:
    'A driver maps a page for a transfer from the device: its lines are invalidated, so that no dirty one is ' +
    'written over the data. Cores before ARMv6 then left the page alone, and nothing was left to do when it was ' +
    'unmapped. The Cortex-A9 fetches lines that nobody asked for. One that it fetches before the device has ' +
    'written has old data, and the driver reads them. The lines must be invalidated once more at dma_unmap_page.',
  machine: 'cortex-a9-smp',
  set: {
    cpus: 1,
    'slots.kmap': { use: 'kmap-pkmap', slots: 2 },
    'slots.shootdown': 'shootdown-tlbi-broadcast',
    checkers: ['checker-stale-dma-data'],
  },
  setBy: {
    broken: dma('arm926'),
    repaired: dma('v7'),
    'no-speculation': dma('arm926'),
  },
  // The core may fetch a line of the page, and write back a dirty one, whenever it likes.
  freedom: { prefetches: [{ cpu: 0, va: P }], cacheEvictions: [{ cpu: 0, va: P }] },
  freedomBy: { 'no-speculation': { prefetches: [] } },
  variants: {
    broken: {
      verdict: 'violated',
      what: 'nothing is done at dma_unmap_page, as on the ARM926',
      rule: 'a CPU has read a line that is older than what a device wrote',
    },
    repaired: { verdict: 'holds', what: 'lines are invalidated at dma_map_page and at dma_unmap_page' },
    'no-speculation': {
      verdict: 'holds',
      what: 'nothing is done at dma_unmap_page, and the core fetches no line of its own accord',
    },
  },
  survivors: [
    {
      named: /step (2|7), MaintainCache: after the next/,
      why: 'which of the two lines is invalidated first does not matter',
    },
    {
      named: /, the transfer is over: after the next/,
      why: 'the next step reads the address of the page, which is the same before and after the transfer',
    },
    {
      named: /step 8, MaintainCache: after the next/,
      why: 'the next step takes the page, and looks at none of it: the line is still invalidated before it is read',
    },
    {
      named: /, TakeBuffer: after the next/,
      why: 'the transfer is over, and both lines are invalidated: the first may as well be read before',
    },
    {
      named: /, LoadLine: /,
      why: 'what is not read cannot be old, and which line is read first does not matter',
    },
  ],
  build: (slots) => ({
    programs: programsOf(slots),
    components: [device],
    play: {
      scene: [{ cpu: 0, program: 'story/scene', args: [] }],
      tasks: [{ name: 'driver', cpu: 0, program: 'story/driver', args: [] }],
      mayEnd: bufferTaken,
      never: [TORN],
    },
    underTest: ['story/driver'],
  }),
};

function programsOf({ kmap, dma }: Pick<Slots, 'kmap' | 'dma'>): Programs {
  const pfn = P / 4096;
  return {
    /** The page is mapped, and a CPU has written it: both its lines are dirty. */
    *scene(context) {
      const va = yield* kmap.map(context, pfn, 0);
      for (const half of HALVES) yield* order(storeLine(context.cpu, va + half, P + half));
    },
    *driver(context) {
      yield* dma.mapPage(context, pfn, 'from-device');
      yield* startTransfer(pfn);
      yield* awaitTransfer();
      yield* dma.unmapPage(context, pfn, 'from-device');
      yield* takeBuffer(pfn);
      for (const half of HALVES) yield* order(loadLine(context.cpu, 0, P + half));
    },
  };
}
