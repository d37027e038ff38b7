import { present } from '@tablewalk/base';
import type { VocabularyFact } from '@tablewalk/contracts';
import { given, Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { areasComponent } from './areas.ts';

/** vmalloc space of a machine with 2 MiB of RAM: from 0xc0800000 on. */
const kernel = present(
  new Lab({ cpus: 1, ram: '2MiB' }).slots['page-table'].kernel,
  'kernel tables of the page-table plugin',
);
const START = kernel.vmallocStart;
const component = areasComponent(kernel);
const PA = 0x4000_0000;
const MIB = 2 ** 20;

const areas = () => given('ioremap', component);
const reserved = (va: number, bytes: number, sections = false) =>
  ({ type: 'VmAreaReserved', va, pa: PA, bytes, sections }) as never;
const mapped = (va: number, bytes: number): VocabularyFact => ({ type: 'DeviceMapped', va, pa: PA, bytes });
const unmapped = (va: number, bytes: number): VocabularyFact => ({
  type: 'DeviceUnmapped',
  va,
  pa: PA,
  bytes,
});
const reserve = (bytes: number, align = 4096) =>
  ({ to: 'ioremap', type: 'ReserveArea', pa: PA, bytes, align, sections: align > 4096 }) as never;

describe('areas of vmalloc space', () => {
  it('lie one behind the other with a guard page between (get_vm_area adds it)', () => {
    areas().when(reserve(8192)).then(reserved(START, 8192));
    areas()
      .facts(reserved(START, 8192))
      .when(reserve(4096))
      .then(reserved(START + 12_288, 4096));
  });

  it('are aligned as they are asked for; what lies free before is for the next', () => {
    const told = areas().facts(reserved(START, 4096));
    told.when(reserve(2 * MIB, 2 * MIB)).then(reserved(START + 2 * MIB, 2 * MIB, true));
    told
      .facts(reserved(START + 2 * MIB, 2 * MIB, true))
      .when(reserve(MIB))
      .then(reserved(START + 8192, MIB));
  });

  it('are reused from the bottom once they were unmapped, and end at VMALLOC_END', () => {
    const both = areas().facts(reserved(START, 4096), reserved(START + 8192, 4096), mapped(START, 4096));
    both.facts(unmapped(START, 4096)).when(reserve(4096)).then(reserved(START, 4096));
    areas()
      .when(reserve(kernel.vmallocEnd - START))
      .then();
    areas()
      .when(reserve(kernel.vmallocEnd - START - 4096))
      .then(reserved(START, kernel.vmallocEnd - START - 4096));
  });

  it('stand in the order of their addresses: equal sets are equal states', () => {
    const [low, high] = [reserved(START, 4096), reserved(START + 8192, 4096)];
    expect(areas().facts(low, high).state).toEqual(areas().facts(high, low).state);
  });
});

describe('vmalloc_seq', () => {
  const increment = { to: 'ioremap', type: 'IncrementSeq' } as never;

  it("init_mm's goes up by one; another's is what its tables were copied at, and 0 in the beginning", () => {
    areas()
      .when(increment)
      .then({ type: 'VmallocSeqIncremented', seq: 1 } as never);
    const told = areas().facts(
      { type: 'VmallocSeqIncremented', seq: 1 } as never,
      { type: 'VmallocSeqPublished', mm: 2, seq: 1 } as never,
    );
    expect(told.state.seq).toEqual({ 0: 1, 2: 1 });
    told.when(increment).then({ type: 'VmallocSeqIncremented', seq: 2 } as never);
    const freed: VocabularyFact = { type: 'PgdFreed', mm: 2, pa: 0 };
    expect(told.facts(freed).state.seq).toEqual({ 0: 1 });
  });
});
