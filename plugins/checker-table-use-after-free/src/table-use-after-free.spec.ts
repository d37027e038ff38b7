import type { KernelFact, VocabularyFact } from '@tablewalk/contracts';
import { given } from '@tablewalk/testkit';
import { describe, expect, it } from 'vitest';
import { ID, tableUseAfterFree } from './table-use-after-free.ts';

const { component } = tableUseAfterFree;
const PFN = 0x80010;
const table = PFN * 4096;
const TTBR = 0x8010_0000;
const VA = 0x8000;

const populated = (mm: number): VocabularyFact => ({ type: 'PmdPopulated', mm, va: 0, table });
const cleared = (mm: number): VocabularyFact => ({ type: 'PmdCleared', mm, va: 0, table });
const freed: VocabularyFact = { type: 'PageFreed', pfn: PFN, order: 0 };
const allocated: VocabularyFact = { type: 'PageAllocated', pfn: PFN, order: 0, use: 'user', mm: 2, va: 0 };
const walk = { cpu: 1, speculative: false, inherited: 0 };
const started: VocabularyFact = { type: 'WalkStarted', ...walk, va: VA, asid: 1, level: 1, pa: TTBR };
const descended: VocabularyFact = { type: 'WalkDescended', ...walk, level: 2, pa: table + 0x820 };
const leaf = { global: false, vpn: VA / 4096, pfn: 0x80100, pageShift: 12, write: true };
const found: VocabularyFact = { type: 'WalkFound', cpu: 1, speculative: false, ...leaf };
const ended: VocabularyFact = { type: 'WalkEnded', cpu: 1, speculative: false };
const invalidated = (scope: string, asid: number): VocabularyFact => ({
  ...{ type: 'TlbInvalidated', cpu: 1, scope, asid },
  ...{ startVpn: VA / 4096, endVpn: VA / 4096 + 1 },
});
const switched = (ttbr: number): KernelFact => ({ type: 'ContextSwitched', cpu: 1, mm: 1, asid: 1, ttbr });

const USED = 'a page of tables was freed that init_mm uses';
const READ = 'a walker read a descriptor in a page of tables that had been freed';
const report = (rule: string, cpu: number, culprit: number, evidence: number, va: number, pfn = PFN): never =>
  ({
    to: ID,
    type: 'ReportViolation',
    violation: { type: 'PropertyViolated', checker: ID, rule, cpu, culprit, evidence, va, pfn },
  }) as never;

describe('pages of tables that init_mm uses', () => {
  it('may not be freed, by whomever; the fact that linked the page is the culprit', () => {
    given(ID, component)
      .facts(populated(0))
      .heard(freed)
      .gives(report(USED, 0, 0, 1, 0));
    given(ID, component)
      .facts(populated(0), cleared(1))
      .heard(freed)
      .gives(report(USED, 0, 0, 2, 0));
  });

  it('may be freed once init_mm has cleared its entry, and so may those of others', () => {
    given(ID, component).facts(populated(0), cleared(0)).heard(freed).gives();
    given(ID, component).facts(populated(1)).heard(freed).gives();
  });

  it('are found in the middle of a block', () => {
    const block: VocabularyFact = { type: 'PageFreed', pfn: PFN - 2, order: 2 };
    given(ID, component)
      .facts(populated(0))
      .heard({ cpu: 3, fact: block })
      .gives(report(USED, 3, 0, 1, 0));
  });
});

describe('a page of tables that is free', () => {
  const WROTE = 'an entry was stored in a page of tables that had been freed';
  const stores: KernelFact[] = [
    { type: 'WordStored', pa: table + 0xfc0, value: 1 },
    { type: 'WordsCopied', from: 0x8000_0000, to: table + 0xfc0, words: 2 },
    { type: 'WordsFilled', pa: table + 0xfc0, words: 2, value: 0, step: 0 },
  ];

  it('is not written: who looked its address up before has come too late', () => {
    for (const store of stores) {
      given(ID, component).facts(populated(1)).heard(store).gives();
      given(ID, component)
        .facts(populated(1), cleared(1), freed)
        .heard(store)
        .gives(report(WROTE, 0, 2, 3, 0));
    }
  });

  it('may be written when it has been allocated again', () => {
    for (const store of stores)
      given(ID, component).facts(populated(1), freed, allocated).heard(store).gives();
  });
});

/** spec/page-tables.md, 5.6, step 5. */
describe('a walk', () => {
  const toTable = [populated(1), started, descended];

  it('that reads a table which was freed since it learnt the address: at the read, not before', () => {
    for (const last of [found, ended, { ...descended, pa: 0x8020_0000, level: 3 }])
      given(ID, component)
        .facts(...toTable, cleared(1), freed)
        .heard(last)
        .gives(report(READ, 1, 4, 5, VA));
    given(ID, component)
      .facts(...toTable, cleared(1))
      .heard(freed)
      .gives();
  });

  it('that reads it before it is freed, and is filled after', () => {
    const told = given(ID, component).facts(...toTable);
    told.heard(found).gives();
    told.heard(freed).gives();
    told.heard(ended).gives();
  });

  it('that reads it when it is somebody else’s already', () => {
    given(ID, component)
      .facts(...toTable, freed, allocated)
      .heard(found)
      .gives(report(READ, 1, 3, 5, VA));
  });

  it('that learns the address of a page that is free already: an entry was left behind', () => {
    given(ID, component)
      .facts(populated(1), freed, started, descended)
      .heard(found)
      .gives(report(READ, 1, 1, 4, VA));
    given(ID, component).facts(populated(1), freed, allocated, started, descended).heard(found).gives();
  });

  it('is over when maintenance names it, and when its CPU changes the context', () => {
    for (const end of [invalidated('all', 0), invalidated('asid', 1), invalidated('va', 1), switched(TTBR)])
      given(ID, component)
        .facts(...toTable, end, freed)
        .heard(started)
        .gives();
    given(ID, component)
      .facts(...toTable, invalidated('asid', 2), freed)
      .heard(found)
      .gives(report(READ, 1, 4, 5, VA));
  });

  it('that nobody asked for goes on through a change of context', () => {
    const facts = [...toTable.map((fact) => ({ ...fact, speculative: true }) as VocabularyFact)];
    given(ID, component)
      .facts(...facts, switched(TTBR), freed)
      .heard({ ...found, speculative: true } as VocabularyFact)
      .gives(report(READ, 1, 4, 5, VA));
  });

  it('in a first level that was freed while it is in TTBR0', () => {
    const pgdFreed: VocabularyFact = { type: 'PgdFreed', mm: 1, pa: TTBR };
    const [culprit, page] = [1, TTBR / 4096];
    given(ID, component)
      .facts(switched(TTBR), pgdFreed, started)
      .heard(ended)
      .gives(report(READ, 1, culprit, 3, VA, page));
    given(ID, component).facts(switched(TTBR), pgdFreed, switched(0x8020_0000)).heard(started).gives();
  });

  it('leaves nothing behind that would make equal states unequal', () => {
    const { state } = given(ID, component).facts(started, ended);
    expect(state).toEqual(component.initial());
  });
});
