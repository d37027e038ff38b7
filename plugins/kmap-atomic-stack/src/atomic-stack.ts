import { assert, present } from '@tablewalk/base';
import { issue, order, preemptDisable, preemptEnable, read } from '@tablewalk/contracts';
import type { CachePlugin, KmapPlugin, ProgramContext, Routine, TlbPlugin } from '@tablewalk/contracts';
import { stackCommand, stackKey, stackTable } from './stack-table.ts';
import type { StackFactOf } from './stack-table.ts';

export interface AtomicStackConfig {
  readonly types: number;
  readonly base: number;
  readonly pop: 'last' | 'first';
  readonly debugHighmem: boolean;
}

/**
 * kmap_atomic, second generation (2.6.37 to 5.10; spec/kmap.md, 4 and 4.1): an index is pushed on a counter of
 * the CPU and the slot is `index + KM_TYPE_NR * cpu`. A handler that interrupts anywhere takes the next index, so
 * nobody has to choose a km_type; mappings must be given back in the other order. `type` is ignored.
 *
 * kunmap_atomic cleans the slot for a virtually tagged cache, and pops only then: with the index free before the
 * lines are gone, a handler maps its page over dirty lines of another (HB-7, KA-2).
 */
export function kmapAtomicStack(
  { types, base, pop, debugHighmem }: AtomicStackConfig,
  cpus: number,
  cache: CachePlugin,
  tlb: TlbPlugin,
): KmapPlugin {
  const slotOf = (cpu: number, index: number): number => index + types * cpu;
  const vaOf = (slot: number): number => base + slot * 4096;
  const flushLocal = (cpu: number, va: number): Routine =>
    order(tlb.invalidate(cpu, 'va-all-asids', 0, va / 4096, va / 4096 + 1));

  /** kmap_atomic_idx: the index on top, which stays there. */
  const peek = (cpu: number): Routine<number> =>
    read((view) => present(view(stackKey).depths[cpu], 'cpu') - 1);

  return {
    component: stackTable(cpus, types, debugHighmem),
    *map(context, pfn): Routine<number> {
      const { cpu } = context;
      if (context.task !== undefined) yield* preemptDisable(context);
      const index = yield* pushIndex(cpu);
      const slot = slotOf(cpu, index);
      const va = vaOf(slot);
      yield* order(stackCommand('SetEntry', cpu, { slot, pfn, va })); // set_pte_ext
      yield* flushLocal(cpu, va);
      return va;
    },
    *unmap(context, va, pfn): Routine {
      const { cpu } = context;
      const index = pop === 'first' ? yield* popIndex(cpu) : yield* peek(cpu);
      const slot = slotOf(cpu, index);
      assert(va === vaOf(slot), 'kunmap_atomic of a page that is not the last one mapped');
      yield* cache.flushPage(context, 0, va, pfn); // VIVT: dirty lines must not outlive the mapping
      yield* order(stackCommand('LeaveEntry', cpu, { slot, pfn, va }));
      if (debugHighmem) yield* flushLocal(cpu, va);
      if (pop === 'last') yield* popIndex(cpu);
      yield* leaveSection(context);
    },
    // page_address of a page that only kmap_atomic has mapped is 0, so DMA finds nothing to pin.
    *highGet() {
      return undefined;
    },
    *highPut() {},
    pageAddress: () => undefined,
    pfnAt: (view, va) => view(stackKey).entries[Math.floor((va - base) / 4096)],
  };
}

function* leaveSection(context: ProgramContext): Routine {
  if (context.task !== undefined) yield* preemptEnable(context);
}

/** kmap_atomic_idx_push and kmap_atomic_idx_pop: both answer the index that is in use until the pop. */
const pushIndex = (cpu: number): Routine<number> => indexOf('PushIndex', cpu);
const popIndex = (cpu: number): Routine<number> => indexOf('PopIndex', cpu);
function* indexOf(type: 'PushIndex' | 'PopIndex', cpu: number): Routine<number> {
  const [index] = yield* issue<StackFactOf<'KmapIndexPushed' | 'KmapIndexPopped'>>(
    stackCommand(type, cpu),
    (facts) => facts.map((fact) => fact.index),
  );
  return present(index, 'index');
}
