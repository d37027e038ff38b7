import type { VocabularyFact } from '@tablewalk/contracts';
import { given } from '@tablewalk/testkit';
import { describe, it } from 'vitest';
import { ID, slotOverwrite } from './slot-overwrite.ts';

const { component } = slotOverwrite;
const VA = 0xfff0_3000;
const [P, Q] = [0x80001, 0x80002];
const mapped = (pfn: number): VocabularyFact => ({ type: 'KmapSlotMapped', slot: 3, pfn, va: VA });
const unmapped = (pfn: number): VocabularyFact => ({ type: 'KmapSlotUnmapped', slot: 3, pfn, va: VA });
const report = (culprit: number, evidence: number): object => ({
  to: ID,
  type: 'ReportViolation',
  violation: {
    type: 'PropertyViolated',
    checker: ID,
    rule: 'a kmap slot in use was mapped to another page',
    cpu: 1,
    culprit,
    evidence,
    va: VA,
    pfn: P,
  },
});

/** KA-1 of spec/kmap.md, 4.1. */
describe(ID, () => {
  it('a slot goes on to another page when its user has unmapped it', () => {
    const told = given(ID, component).facts(mapped(P), unmapped(P));
    told.heard(mapped(Q)).gives();
    told.holds({ 3: { pfn: Q, since: 2 } });
  });

  it('and not before: who had it first is the culprit, and keeps it', () => {
    const told = given(ID, component).facts(mapped(P));
    told.heard({ cpu: 1, fact: mapped(Q) }).gives(report(0, 1) as never);
    told.holds({ 3: { pfn: P, since: 0 } });
    told.facts(unmapped(Q)).holds({ 3: { pfn: P, since: 0 } });
    told.facts(unmapped(P)).holds({});
  });
});
