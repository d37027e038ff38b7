import { defineFacts, issue, order, readAll, sliceKey } from '@tablewalk/contracts';
import type {
  Command,
  Component,
  FactsIn,
  KernelTables,
  Routine,
  View,
  VocabularyFactOf,
} from '@tablewalk/contracts';

/**
 * Areas of vmalloc space (struct vm_struct and vmlist, mm/vmalloc.c) and the numbers by which first-level
 * tables know whether they are behind (init_mm.context.vmalloc_seq): the slice of slot `ioremap`.
 */
export interface VmArea {
  /** Of whole pages; the guard page behind is not counted. */
  readonly va: number;
  readonly pa: number;
  readonly bytes: number;
  /** VM_ARM_SECTION_MAPPING. */
  readonly sections: boolean;
  /** ioremap has returned, iounmap has not. */
  mapped: boolean;
}
export interface VmallocState {
  /** Ascending by address. */
  areas: VmArea[];
  /** vmalloc_seq by mm; 0 is init_mm's. Absent: 0, as an mm begins. */
  seq: Record<number, number>;
}
export const vmallocKey = sliceKey<VmallocState>('ioremap');

export const areaFacts = defineFacts({
  /** get_vm_area: a range of addresses is somebody's. */
  VmAreaReserved: { va: 'u', pa: 'u', bytes: 'u', sections: 'b' },
  /** What was reserved and never mapped is free again. */
  VmAreaReleased: { va: 'u' },
  VmallocSeqIncremented: { seq: 'u' },
  /** The first level of `mm` has what init_mm's had when its number was `seq`. */
  VmallocSeqPublished: { mm: 'u', seq: 'u' },
});
type AreaFact =
  | FactsIn<typeof areaFacts>
  | VocabularyFactOf<'DeviceMapped' | 'DeviceUnmapped' | 'BarrierCompleted' | 'PgdFreed'>;

type Reserve = Command & { pa: number; bytes: number; align: number; sections: boolean };
type OfArea = Command & { cpu: number; va: number };
type OfSeq = Command & { mm: number; seq: number };

const GUARD = 4096;

export function areasComponent({
  vmallocStart,
  vmallocEnd,
}: KernelTables): Component<VmallocState, Reserve | OfArea | OfSeq, AreaFact> {
  /** First fit from the bottom, as __get_vm_area_node: what was freed is soon somebody else's. */
  function freeRange(areas: readonly VmArea[], bytes: number, align: number): number | undefined {
    let va = vmallocStart;
    for (const area of areas) {
      if (va + bytes + GUARD <= area.va) break;
      va = Math.ceil((area.va + area.bytes + GUARD) / align) * align;
    }
    return va + bytes + GUARD <= vmallocEnd ? va : undefined;
  }

  function decide(command: Reserve | OfArea | OfSeq, { areas, seq }: VmallocState): readonly AreaFact[] {
    if (command.type === 'ReserveArea') {
      const { pa, bytes, align, sections } = command as Reserve;
      const va = freeRange(areas, bytes, align);
      return va === undefined ? [] : [{ type: 'VmAreaReserved', va, pa, bytes, sections }];
    }
    if (command.type === 'IncrementSeq') return [{ type: 'VmallocSeqIncremented', seq: (seq[0] ?? 0) + 1 }];
    if (command.type === 'PublishSeq') {
      const { mm, seq: current } = command as OfSeq;
      return [{ type: 'VmallocSeqPublished', mm, seq: current }];
    }
    const { cpu, va } = command as OfArea;
    const area = areas.find((each) => each.va === va);
    if (area === undefined) return [];
    const { pa, bytes } = area;
    if (command.type === 'CommitArea')
      return [
        { type: 'BarrierCompleted', cpu },
        { type: 'DeviceMapped', va, pa, bytes },
      ];
    return area.mapped ? [{ type: 'DeviceUnmapped', va, pa, bytes }] : [{ type: 'VmAreaReleased', va }];
  }

  return {
    facts: areaFacts,
    evolvesOn: [...Object.keys(areaFacts), 'DeviceMapped', 'DeviceUnmapped', 'PgdFreed'],
    initial: () => ({ areas: [], seq: {} }),
    decide,
    evolve,
  };
}

function evolve(draft: VmallocState, fact: AreaFact): void {
  switch (fact.type) {
    case 'VmAreaReserved': {
      const { va, pa, bytes, sections } = fact;
      const place = draft.areas.findIndex((area) => area.va > va);
      draft.areas.splice(place < 0 ? draft.areas.length : place, 0, {
        va,
        pa,
        bytes,
        sections,
        mapped: false,
      });
      break;
    }
    case 'DeviceMapped': {
      const area = draft.areas.find(({ va }) => va === fact.va);
      if (area !== undefined) area.mapped = true;
      break;
    }
    case 'DeviceUnmapped':
    case 'VmAreaReleased':
      draft.areas = draft.areas.filter(({ va }) => va !== fact.va);
      break;
    case 'VmallocSeqIncremented':
      draft.seq[0] = fact.seq;
      break;
    case 'VmallocSeqPublished':
      draft.seq[fact.mm] = fact.seq;
      break;
    case 'PgdFreed':
      delete draft.seq[fact.mm];
      break;
  }
}

/** get_vm_area_caller: answers the first address, or undefined when there is no room. One step. */
export function* reserveArea(
  pa: number,
  bytes: number,
  align: number,
  sections: boolean,
): Routine<number | undefined> {
  const command: Reserve = { to: 'ioremap', type: 'ReserveArea', pa, bytes, align, sections };
  const [va] = yield* issue<AreaFact>(command, ([fact]) =>
    fact?.type === 'VmAreaReserved' ? [fact.va] : [],
  );
  return va;
}

/** The mapping is made, and a DSB has made its entries visible to walkers (flush_cache_vmap). One step. */
export const commitArea = (cpu: number, va: number): Routine =>
  order({ to: 'ioremap', type: 'CommitArea', cpu, va } as OfArea);

/** remove_vm_area: the range may be used again. */
export const freeArea = (cpu: number, va: number): Routine =>
  order({ to: 'ioremap', type: 'FreeArea', cpu, va } as OfArea);

/** find_vm_area: the area that begins at an address. */
export function* findArea(
  va: number,
): Routine<{ readonly bytes: number; readonly sections: boolean } | undefined> {
  const [bytes, sections] = yield* readAll((view) => {
    const area = view(vmallocKey).areas.find((each) => each.va === va && each.mapped);
    return area === undefined ? [] : [area.bytes, Number(area.sections)];
  }, 'the area');
  return bytes === undefined ? undefined : { bytes, sections: sections === 1 };
}

export function deviceAt(view: View, va: number): number | undefined {
  const inside = ({ va: first, bytes, mapped }: VmArea): boolean =>
    mapped && va >= first && va < first + bytes;
  const area = view(vmallocKey).areas.find(inside);
  return area === undefined ? undefined : area.pa + (va - area.va);
}
