import { present } from '@tablewalk/base';
import type { PgdTables, View } from '@tablewalk/contracts';
import { Lab } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { freeableTables, freePgtables } from './free-pgtables.ts';

const GIB = 2 ** 30;
const TASK_SIZE = 0xbf00_0000;
const noView: View = () => {
  throw new Error('the lists are given');
};

/** Three levels (LPAE) with tables in every GiB of user space: in the first, at both ends. */
const within = (addresses: readonly number[], from: number, to: number): number[] =>
  addresses.filter((va) => va >= from && va < to);
const pmds = [0, GIB - 2 ** 21, GIB, 2 * GIB, TASK_SIZE - 2 ** 21, TASK_SIZE];
const lpae = {
  firstUserAddress: 4096,
  pgdirSize: GIB,
  pmdSize: 2 ** 21,
  pgdTables: (_view: View, _mm: number, from: number, to: number) => within([0, GIB, 2 * GIB], from, to),
  pmdTables: (_view: View, _mm: number, from: number, to: number) => within(pmds, from, to),
} as unknown as PgdTables;
const freed = (ceiling: number): string[] =>
  freeableTables(lpae, noView, 1, { taskSize: TASK_SIZE, ceiling }).map(
    ({ level, va }) => `${level} ${va.toString(16)}`,
  );

/** free_pgd_range, mm/memory.c. */
describe('free_pgtables', () => {
  it('without a ceiling frees every table but those of address 0, the one that the kernel shares too (5.6)', () => {
    expect(freed(0)).toEqual([
      'pmd 3fe00000',
      ...['pmd 40000000', 'pgd 40000000'],
      ...['pmd 80000000', 'pmd bee00000', 'pgd 80000000'],
    ]);
  });

  it('with TASK_SIZE for a ceiling (v3.10) spares the page of pmds that the kernel has entries in', () => {
    expect(freed(TASK_SIZE)).toEqual([
      'pmd 3fe00000',
      ...['pmd 40000000', 'pgd 40000000'],
      ...['pmd 80000000', 'pmd bee00000'],
    ]);
  });

  it('answers the pages, and clears an entry a step', () => {
    const lab = new Lab({ cpus: 1, ram: '2MiB' });
    const context = { cpu: 0, args: [] };
    lab.process(1);
    const { 'page-table': table } = lab.slots;
    for (const va of [0x8000, 0x20_0000, 0x4000_0000]) lab.do(0, table.populate(context, 1, va));
    const tables = present(table.pgd, 'first-level tables');
    const pages = lab.do(0, freePgtables(tables, context, 1, { taskSize: table.taskSize, ceiling: 0 }));
    const cleared = lab.factsOf('PmdCleared').map(({ fact }) => fact as { table?: number });
    expect(pages).toEqual(cleared.map(({ table: pa = 0 }) => pa / 4096));
    expect(tables.pmdTables(lab.view, 1, 0, table.taskSize)).toEqual([0]);
  });
});
