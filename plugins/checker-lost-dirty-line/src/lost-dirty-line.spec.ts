import type { VocabularyFact, VocabularyFactOf } from '@tablewalk/contracts';
import { given } from '@tablewalk/testkit';
import { describe, it } from 'vitest';
import { ID, lostDirtyLine } from './lost-dirty-line.ts';

const { component } = lostDirtyLine;
const VA = 0xbfe0_0000;
const [P, Q] = [0x80001, 0x80002];
const mapped = (pfn: number): VocabularyFact => ({ type: 'KmapSlotMapped', slot: 0, pfn, va: VA });
const unmapped = (pfn: number): VocabularyFact => ({ type: 'KmapSlotUnmapped', slot: 0, pfn, va: VA });
const dropped = (of: number, meant: number): VocabularyFactOf<'CacheLineDropped'> => ({
  type: 'CacheLineDropped',
  cpu: 0,
  va: VA + 2048,
  pa: of * 4096 + 2048,
  dirty: true,
  meant: meant * 4096 + 2048,
});
const report = (culprit: number, evidence: number): object => ({
  to: ID,
  type: 'ReportViolation',
  violation: {
    type: 'PropertyViolated',
    checker: ID,
    rule: 'a dirty line of another page was invalidated',
    cpu: 0,
    culprit,
    evidence,
    va: VA + 2048,
    pfn: Q,
  },
});

/** KM-1 of spec/kmap.md, 3. */
describe(ID, () => {
  it('the page itself may lose its dirty lines: the device is about to write it', () => {
    given(ID, component).facts(mapped(P)).heard(dropped(P, P)).gives();
  });

  it('another page must not; whoever gave it the address is the culprit', () => {
    const told = given(ID, component).facts(mapped(P), unmapped(P), mapped(Q));
    told.heard(dropped(Q, P)).gives(report(2, 3) as never);
  });

  it('where nobody has mapped the address, the invalidation is', () => {
    const told = given(ID, component).facts(mapped(P), unmapped(P));
    told.heard(dropped(Q, P)).gives(report(2, 2) as never);
  });
});
