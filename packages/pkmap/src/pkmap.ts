import { present } from '@tablewalk/base';
import {
  disableIrqs,
  enableIrqs,
  issue,
  lock,
  order,
  prepareToWait,
  read,
  readAll,
  readMaybe,
  schedule,
  unlock,
  wakeUp,
} from '@tablewalk/contracts';
import type {
  CachePlugin,
  KmapPlugin,
  ProgramContext,
  Routine,
  ShootdownPlugin,
  View,
} from '@tablewalk/contracts';
import { z } from 'zod';
import { NONE, pkmapCommand, pkmapKey, pkmapTable } from './pkmap-table.ts';
import type { PkmapFactOf } from './pkmap-table.ts';

/** LAST_PKMAP and PKMAP_BASE of ARM: one page of 512 entries, 2 MiB below PAGE_OFFSET. */
export const pkmapKnobs = {
  slots: z.number().int().min(1).max(4096).default(512).describe('LAST_PKMAP'),
  base: z.number().int().min(0).multipleOf(4096).default(0xbfe0_0000).describe('PKMAP_BASE'),
};
export interface PkmapConfig {
  readonly slots: number;
  readonly base: number;
  /** What DMA gets of a page that is mapped: `page_address` alone, or a pin on its slot (kmap_high_get). */
  readonly highGet: 'unpinned' | 'pinned';
  /** ARCH_NEEDS_KMAP_HIGH_GET: kmap_lock is held with IRQs off. */
  readonly irqSafe: boolean;
}

const KMAP_LOCK = 'kmap_lock';
const MAP_WAIT = 'pkmap_map_wait';

/**
 * kmap and kunmap over the persistent kernel mappings (mm/highmem.c, the same logic from 2.6.29 to 6.13;
 * spec/kmap.md, 2.2, whose numbers stand at the lines). A page that was kunmapped stays mapped and cached
 * until the cursor wraps: then all slots without users are unmapped, with one cache and one TLB flush.
 *
 * The order of the wrap matters: dirty lines of a virtually tagged cache must not outlive their mapping, and a
 * table walk before the entry is cleared would cache it again. The count is 0 before the TLBs are flushed, but
 * nobody can take the slot: kmap_lock is held.
 */
export function pkmap(
  { slots, base, highGet, irqSafe }: PkmapConfig,
  { cache, shootdown }: { readonly cache: CachePlugin; readonly shootdown: ShootdownPlugin },
): KmapPlugin {
  const vaOf = (slot: number): number => base + slot * 4096;
  const addressOf = (view: View, pfn: number): number | undefined => {
    const slot = view(pkmapKey).pages.indexOf(pfn);
    return slot < 0 ? undefined : vaOf(slot);
  };
  const flushKernelRange = present(shootdown.flushTlbKernelRange, 'facet kernel-ranges of the shootdown');

  const { lockKmap, unlockKmap } = kmapLock(irqSafe);

  function* flushAllZeroPkmaps(context: ProgramContext): Routine {
    yield* cache.flushKmaps(context); // 1
    const unused = yield* readAll((view) =>
      view(pkmapKey).counts.flatMap((count, slot) => (count === 1 ? [slot] : [])),
    );
    for (const slot of unused) yield* order(pkmapCommand('UnmapSlot', context.cpu, { slot })); // 2
    if (unused.length > 0) yield* flushKernelRange(context, base / 4096, base / 4096 + slots); // 3
  }

  /** Next fit from the cursor on; at slot 0 it wraps. Undefined: every slot has a user. */
  function* freeSlot(context: ProgramContext): Routine<number | undefined> {
    for (let tries = slots; tries > 0; tries--) {
      const [slot, count] = yield* advanceCursor(context.cpu); // 2
      if (slot !== 0) {
        if (count === 0) return slot; // 3
        continue;
      }
      yield* flushAllZeroPkmaps(context);
      tries = slots;
      if ((yield* read((view) => present(view(pkmapKey).counts[0], 'slot 0'), 'count of slot 0')) === 0)
        return slot;
    }
    return undefined;
  }

  /** A task is on the queue before kmap_lock is dropped, and gone only afterwards: no wake-up is lost. */
  function* waitForSlot(context: ProgramContext): Routine {
    const { cpu } = context;
    yield* order(pkmapCommand('BeginWait', cpu));
    yield* prepareToWait(context, MAP_WAIT);
    yield* unlockKmap(context);
    yield* schedule(context);
    yield* order(pkmapCommand('EndWait', cpu));
    yield* lockKmap(context);
  }

  function* mapNewVirtual(context: ProgramContext, pfn: number): Routine<number> {
    for (;;) {
      const slot = yield* freeSlot(context); // 1, 2, 3
      if (slot !== undefined) {
        yield* order(pkmapCommand('MapSlot', context.cpu, { slot, pfn })); // 7
        return vaOf(slot);
      }
      yield* waitForSlot(context); // 4
      const va = yield* readMaybe((view) => addressOf(view, pfn), 'page_address');
      if (va !== undefined) return va; // 5: somebody else mapped it meanwhile
    } // 6
  }

  function* kunmapHigh(context: ProgramContext, pfn: number): Routine {
    yield* lockKmap(context);
    const [wakes] = yield* issue<PkmapFactOf<'PkmapReleased'>>(
      pkmapCommand('ReleaseSlot', context.cpu, { pfn }),
      ([fact]) => [Number(fact?.wakes)],
    );
    yield* unlockKmap(context);
    if (wakes === 1) yield* wakeUp(context, MAP_WAIT);
  }

  function* kmapHighGet(context: ProgramContext, pfn: number): Routine<number | undefined> {
    yield* lockKmap(context);
    const va = yield* readMaybe((view) => addressOf(view, pfn), 'page_address');
    if (va !== undefined) yield* order(pkmapCommand('TakeSlot', context.cpu, { pfn }));
    yield* unlockKmap(context);
    return va;
  }

  const pinned = highGet === 'pinned';
  return {
    component: pkmapTable(slots, vaOf),
    *map(context, pfn) {
      yield* lockKmap(context); // 1
      let va = yield* readMaybe((view) => addressOf(view, pfn), 'page_address'); // 2
      va ??= yield* mapNewVirtual(context, pfn); // 3
      yield* order(pkmapCommand('TakeSlot', context.cpu, { pfn })); // 4
      yield* unlockKmap(context); // 5
      return va;
    },
    unmap: (context, _va, pfn) => kunmapHigh(context, pfn),
    highGet: pinned
      ? kmapHighGet
      : (_context, pfn) => readMaybe((view) => addressOf(view, pfn), 'page_address'),
    *highPut(context, pfn) {
      if (pinned) yield* kunmapHigh(context, pfn);
    },
    pageAddress: addressOf,
    pfnAt(view, va) {
      const page = view(pkmapKey).pages[Math.floor((va - base) / 4096)];
      return page === NONE ? undefined : page;
    },
  };
}

/** lock_kmap and lock_kmap_any: IRQs off are counted, so the nesting form (irqsave) serves both. */
const kmapLock = (irqSafe: boolean) => ({
  *lockKmap({ cpu }: ProgramContext): Routine {
    if (irqSafe) yield* order(disableIrqs(cpu));
    yield* lock(cpu, KMAP_LOCK);
  },
  *unlockKmap({ cpu }: ProgramContext): Routine {
    yield* unlock(cpu, KMAP_LOCK);
    if (irqSafe) yield* order(enableIrqs(cpu));
  },
});

function* advanceCursor(cpu: number): Routine<readonly [slot: number, count: number]> {
  const [slot, count] = yield* issue<PkmapFactOf<'PkmapCursorMoved'>>(
    pkmapCommand('AdvanceCursor', cpu),
    (facts) => facts.flatMap(({ last, count }) => [last, count]),
  );
  return [present(slot, 'slot'), present(count, 'count')];
}
