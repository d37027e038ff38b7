import type { KernelFact, VocabularyFact } from '@tablewalk/contracts';
import { given } from '@tablewalk/testkit';
import { describe, it } from 'vitest';
import { ID, tablePageLeak } from './table-page-leak.ts';

const { component } = tablePageLeak;
const PFN = 0x80010;
const [MM, VA] = [1, 0x20_0000];
const table = PFN * 4096;
const populated: VocabularyFact = { type: 'PmdPopulated', mm: MM, va: VA, table };
const cleared: VocabularyFact = { type: 'PmdCleared', mm: MM, va: VA, table };
const freed: VocabularyFact = { type: 'PageFreed', pfn: PFN, order: 0 };
const pgdFreed: VocabularyFact = { type: 'PgdFreed', mm: MM, pa: 0x8010_0000 };
const pgdAllocated: VocabularyFact = { type: 'PgdAllocated', mm: MM, pa: 0x8010_0000 };
const exited: KernelFact = { type: 'ProcessExited', cpu: 0, mm: MM };
const allocated: VocabularyFact = { type: 'PageAllocated', pfn: PFN, order: 0, use: 'user', mm: 2, va: 0 };
const report = (rule: string, culprit: number, evidence: number, va = VA): never =>
  ({
    to: ID,
    type: 'ReportViolation',
    violation: {
      type: 'PropertyViolated',
      checker: ID,
      rule,
      cpu: 0,
      culprit,
      evidence,
      va,
      pfn: PFN,
    },
  }) as never;
const LOST = 'a first level was freed with a page of tables in it';
const UNFREED = 'a process exited, and a page of its tables was not freed';
const TWICE = 'a page of tables was freed twice';

/** spec/page-tables.md, 3.2 and L4. */
describe(ID, () => {
  it('a table that is cleared and freed is no loss, in whatever order the first level goes', () => {
    for (const facts of [
      [populated, cleared, freed, pgdFreed],
      [populated, cleared, pgdFreed, freed],
    ])
      for (const [i, fact] of [...facts, exited].entries())
        given(ID, component)
          .facts(...facts.slice(0, i))
          .heard(fact)
          .gives();
  });

  it('PT-2: a table that the first level still points to when it is freed is lost', () => {
    given(ID, component)
      .facts(pgdAllocated, populated)
      .heard(pgdFreed)
      .gives(report(LOST, 1, 2));
  });

  it('so is a page of pmds; every one is told', () => {
    const pud: VocabularyFact = { type: 'PudPopulated', mm: MM, va: 0, table };
    const other: VocabularyFact = { type: 'PmdPopulated', mm: 2, va: VA, table: table + 4096 };
    given(ID, component)
      .facts(pud, other)
      .heard(pgdFreed)
      .gives(report(LOST, 0, 2, 0));
  });

  it('what was taken out of the tables, and not freed, is missed at the exit', () => {
    const told = given(ID, component).facts(populated, cleared, pgdFreed);
    told.heard(exited).gives(report(UNFREED, 0, 3));
  });

  it('an exit that keeps the address space loses nothing', () => {
    given(ID, component).facts(populated).heard(exited).gives();
  });

  it('a table that is freed twice: the first time is the culprit', () => {
    given(ID, component)
      .facts(populated, cleared, freed)
      .heard(freed)
      .gives(report(TWICE, 2, 3));
    given(ID, component).facts(populated, cleared, freed, allocated).heard(freed).gives();
  });

  it('forgets a page that is allocated again, and what an earlier life of the same number lost', () => {
    given(ID, component).facts(populated, cleared, freed, allocated).holds({});
    given(ID, component).facts(populated, pgdFreed, pgdAllocated).holds({}).heard(pgdFreed).gives();
  });
});
