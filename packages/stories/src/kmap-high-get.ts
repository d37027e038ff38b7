import { acknowledgeIpi, order, sendIpi, storeLine } from '@tablewalk/contracts';
import type { MachineFacts, ProgramContext, Programs, Slots } from '@tablewalk/contracts';
import { outlivedMapping } from './outlived-mapping.ts';
import type { Cast, MachineStory } from './story.ts';

/** The default of the plugins. */
const PKMAP_BASE = 0xbfe0_0000;

/**
 * HB-1 of spec/historical-bugs-mapping.md, KM-1 of spec/kmap.md. The table has two slots, and a page that is held
 * has one of them, so that the wrap of the cursor gives Q the slot of P. Lines are halves of a page: what is
 * lost is the half that the loop had not come to.
 */
export const kmapHighGet: MachineStory = {
  kind: 'machine',
  id: 'kmap-high-get',
  title: 'dma_map_page invalidates at an address that kmap has given to another page',
  source:
    'R. King and N. Pitre, "[RFC] atomic highmem kmap page pinning", LKML, 4 March 2009; Linux commit 3297e760776a',
  about:
    'A page that was kunmapped is still mapped, and has dirty lines in a VIVT cache. dma_map_page takes its ' +
    'address and invalidates line by line. Preempted in the middle, it does not see that kmap, out of free slots, ' +
    'recycles this one: the other page is written through the same address, and the rest of the loop throws away ' +
    'what was written. kmap_high_get makes DMA a user of the slot.',
  machine: 'arm926-up',
  set: { 'slots.dma': 'dma-noncoherent', checkers: ['checker-lost-dirty-line', 'checker-sleep-in-atomic'] },
  setBy: {
    broken: { 'slots.kmap': { use: 'kmap-pkmap', slots: 2 } },
    repaired: { 'slots.kmap': { use: 'kmap-pkmap-pinned', slots: 2 } },
    'irq-spins': { 'slots.kmap': { use: 'kmap-pkmap-pinned', slots: 2, irqSafe: false } },
    'irq-safe': { 'slots.kmap': { use: 'kmap-pkmap-pinned', slots: 2 } },
  },
  // A dirty line of either slot may be written back whenever the cache likes.
  freedom: { cacheEvictions: [0, 1].map((slot) => ({ cpu: 0, va: PKMAP_BASE + slot * 4096 })) },
  variants: {
    broken: {
      verdict: 'violated',
      what: 'DMA works at page_address(page), which nothing holds',
      rule: 'a dirty line of another page was invalidated',
    },
    repaired: { verdict: 'holds', what: 'kmap_high_get pins the mapping while DMA uses it' },
    'irq-spins': {
      verdict: 'violated',
      what: 'DMA is mapped by an interrupt handler, and kmap_lock is taken with IRQs on',
      rule: 'deadlock',
    },
    'irq-safe': { verdict: 'holds', what: 'DMA is mapped by an interrupt handler, kmap_lock keeps IRQs off' },
  },
  survivors: [
    {
      named: /, (AcquireLock kmap_lock|ReleaseLock kmap_lock|TakeSlot|BeginWait): after the next/,
      why: 'on one CPU, IRQs off or the lock alone keep everybody else away, and one of them is still so',
    },
    {
      named: /, DisableIrqs: after the next/,
      why: 'the lock is taken with IRQs on for a step: irq-spins shows what that means, here no handler takes it',
    },
    {
      named: /(map-dma step \d+|write-q step 29), EnableIrqs: after the next/,
      why: 'the next step is an invalidation, a wake-up or a store: they may be done with IRQs off',
    },
    {
      named: /map-dma step \d+, MaintainCache: /,
      why:
        'no device writes in this story, so that dirty lines of P may stay (dma-speculation is about those); and ' +
        'while the slot is pinned it does not matter which line is first, or whether IRQs are off',
    },
    {
      named: /write-q step \d+, MaintainCache: after the next/,
      why: 'the next step looks which slots have no users, under kmap_lock: the answer is the same',
    },
    {
      named: /, (UnmapSlot: after the next|InvalidateTlb: )/,
      why: 'no access goes through a TLB here, so that nothing sees an old translation, or one that came back',
    },
    {
      named: /, (Schedule: after the next|asleep: dropped)/,
      why: 'who goes on without having been woken looks for a slot once more, and waits again if there is none',
    },
    {
      named: /, EndWait: /,
      why: 'kunmap believes for longer that somebody waits: it wakes nobody, and that does no harm',
    },
    {
      named: /, StoreLine: /,
      why: 'what is not written cannot be lost, and which half is first does not matter',
    },
  ],
  build: ({ kmap, dma }, variant, machine) => {
    const programs = programsOf({ kmap, dma }, machine);
    const inHandler = variant.startsWith('irq');
    const mapsDma = inHandler
      ? { name: 'device', cpu: 0, program: 'story/interrupt', args: [] }
      : { name: 'dma_map_page(P)', cpu: 0, program: 'story/map-dma', args: [] };
    return {
      programs,
      play: {
        scene: [{ cpu: 0, program: 'story/scene', args: [] }],
        tasks: [mapsDma, { name: 'kmap(Q)', cpu: 0, program: 'story/write-q', args: [] }],
        never: [outlivedMapping(kmap)],
      },
      underTest: ['story/map-dma', 'story/write-q'],
    } satisfies Cast;
  },
};

function programsOf({ kmap, dma }: Pick<Slots, 'kmap' | 'dma'>, machine: MachineFacts): Programs {
  const [held, p, q] = lastPages(machine);
  const handler = 'story/dma-handler';
  const mapDma = (context: ProgramContext) => dma.mapPage(context, p, 'from-device');
  return {
    /** Both slots are taken: by a page that stays held, and by P, kunmapped, with one dirty line. */
    *scene(context) {
      yield* kmap.map(context, held, 0);
      const va = yield* kmap.map(context, p, 0);
      yield* order(storeLine(context.cpu, va, p * 4096));
      yield* kmap.unmap(context, va, p, 0);
    },
    'map-dma': mapDma,
    *interrupt({ cpu }) {
      yield* order(sendIpi(cpu, cpu, handler, []));
    },
    *'dma-handler'(context) {
      yield* mapDma(context);
      yield* order(acknowledgeIpi(context.args[0] as number, context.cpu));
    },
    *'write-q'(context) {
      const va = yield* kmap.map(context, q, 0);
      for (const half of [0, 2048]) yield* order(storeLine(context.cpu, va + half, q * 4096 + half));
      yield* kmap.unmap(context, va, q, 0);
    },
  };
}

/** Three pages at the end of memory: on a machine with more of it they would be highmem. */
function lastPages({ ramBase, ramBytes }: MachineFacts): readonly [held: number, p: number, q: number] {
  const end = (ramBase + ramBytes) / 4096;
  return [end - 3, end - 2, end - 1];
}
