import type { KernelFact, VocabularyFact } from '@tablewalk/contracts';
import { given } from '@tablewalk/testkit';
import { describe, it } from 'vitest';
import { ID, staleTranslation } from './stale-translation.ts';

const { component } = staleTranslation;
const PFN = 0x80010;
const on = (
  cpu: number,
  fact: VocabularyFact | KernelFact,
): { cpu: number; fact: VocabularyFact | KernelFact } => ({
  cpu,
  fact,
});
const started = (cpu: number): ReturnType<typeof on> =>
  on(cpu, { type: 'GatherStarted', cpu, mm: 1, fullmm: false });
const finished = (cpu: number): ReturnType<typeof on> => on(cpu, { type: 'GatherFinished', cpu, mm: 1 });
const cleared = (cpu: number): ReturnType<typeof on> =>
  on(cpu, { type: 'PteCleared', mm: 1, va: 0x8000, pfn: PFN, dirty: true });
const mapped = on(0, { type: 'PteSet', mm: 1, va: 0x8000, pfn: PFN, young: true, dirty: true, write: true });
const used = on(1, { type: 'StaleTranslationUsed', cpu: 1, mm: 1, va: 0x8000, pfn: PFN, write: false });

const report = (culprit: number, evidence: number): never =>
  ({
    to: ID,
    type: 'ReportViolation',
    violation: {
      type: 'PropertyViolated',
      checker: ID,
      rule: 'translation used after its unmapping had finished',
      cpu: 1,
      culprit,
      evidence,
      va: 0x8000,
      pfn: PFN,
    },
  }) as never;

/** INV-3 of spec/mmu-gather.md: RevokedOnReturn. */
describe(ID, () => {
  it('before the gather is finished a stale entry is legal: the shootdown is under way', () => {
    given(ID, component).facts(started(0), cleared(0)).heard(used).gives();
  });

  it('afterwards it is not: the culprit is the fact that cleared the entry', () => {
    given(ID, component).facts(started(0), cleared(0), finished(0)).heard(used).gives(report(1, 3));
  });

  it("another CPU's gather that finishes says nothing of this one's pages", () => {
    given(ID, component).facts(started(0), started(1), cleared(0), finished(1)).heard(used).gives();
  });

  it('a gather inside a gather: pages count as revoked when the outer one is finished', () => {
    const inner = given(ID, component).facts(started(0), started(0), cleared(0), finished(0));
    inner.heard(used).gives();
    inner.facts(finished(0)).heard(used).gives(report(2, 6));
  });

  it('a frame that is mapped again is nobody’s stale page any more', () => {
    given(ID, component).facts(started(0), cleared(0), finished(0), mapped).heard(used).gives();
  });
});
