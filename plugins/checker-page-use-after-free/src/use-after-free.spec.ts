import type { KernelFact, VocabularyFact } from '@tablewalk/contracts';
import { given } from '@tablewalk/testkit';
import { describe, it } from 'vitest';
import { ID, useAfterFree } from './use-after-free.ts';

const { component } = useAfterFree;
const PFN = 0x80010;
const VA = 0x8000;
const allocated = (mm: number, va: number, order = 0): VocabularyFact => ({
  type: 'PageAllocated',
  pfn: PFN,
  order,
  use: 'user',
  mm,
  va,
});
const freed: VocabularyFact = { type: 'PageFreed', pfn: PFN, order: 0 };
const used = (va: number): { cpu: number; fact: KernelFact } => ({
  cpu: 1,
  fact: { type: 'StaleTranslationUsed', cpu: 1, mm: 1, va, pfn: PFN, write: true },
});
const report = (rule: string, culprit: number, evidence: number): object => ({
  to: ID,
  type: 'ReportViolation',
  violation: {
    type: 'PropertyViolated',
    checker: ID,
    rule,
    cpu: 1,
    culprit,
    evidence,
    va: VA + 0x123,
    pfn: PFN,
  },
});

/** spec/historical-bugs-tlb.md, B-01: CPU 0 unmaps and frees, CPU 1 still stores through its TLB. */
describe(ID, () => {
  it('a stale translation into a page that still waits in the gather is no violation', () => {
    given(ID, component)
      .facts(allocated(1, VA))
      .heard(used(VA + 0x123))
      .gives();
  });

  it('a page that was freed: the fact that freed it is the culprit', () => {
    const told = given(ID, component)
      .facts(allocated(1, VA), freed)
      .heard(used(VA + 0x123));
    told.gives(report('access to a freed page', 1, 2) as never);
  });

  it("a page that has gone on to another process or place: the new owner's allocation is the culprit", () => {
    for (const owner of [allocated(2, VA), allocated(1, VA + 4096)]) {
      const told = given(ID, component)
        .facts(allocated(1, VA), freed, owner)
        .heard(used(VA + 0x123));
      told.gives(report("access to another owner's page", 2, 3) as never);
    }
  });

  it('the same page given back to the same place is no violation', () => {
    given(ID, component)
      .facts(allocated(1, VA), freed, allocated(1, VA))
      .heard(used(VA + 0x123))
      .gives();
  });

  it('knows every page of a block', () => {
    const block: VocabularyFact = {
      type: 'PageAllocated',
      pfn: PFN - 1,
      order: 1,
      use: 'kernel',
      mm: 0,
      va: 0,
    };
    const told = given(ID, component)
      .facts(block)
      .heard(used(VA + 0x123));
    told.gives(report("access to another owner's page", 0, 1) as never);
  });

  it('has nothing to say of frames that nobody ever allocated', () => {
    given(ID, component).heard(used(VA)).gives();
  });
});
