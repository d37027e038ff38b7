import type { VocabularyFact, VocabularyFactOf } from '@tablewalk/contracts';
import { given } from '@tablewalk/testkit';
import { describe, it } from 'vitest';
import { ID, staleDmaData } from './stale-dma-data.ts';

const { component } = staleDmaData;
const VA = 0xbfe0_0800;
const PA = 0x8000_1800;
type Line = 'CacheLineDirtied' | 'CacheLineFilled' | 'CacheLineWrittenBack';
const line = (type: Line | 'StaleLineRead' | 'StaleLineWrittenBack', pa = PA): VocabularyFact => ({
  type,
  cpu: 1,
  va: VA,
  pa,
});
const deviceWrote: VocabularyFactOf<'DeviceWrote'> = { type: 'DeviceWrote', pa: 0x8000_1000, bytes: 4096 };
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
    va: VA,
    pfn: 0x80001,
  },
});

/** DMA-3 and DMA-4 of spec/caches-and-dma.md, 4.3. */
describe(ID, () => {
  it('who reads what came before the device wrote is told of; what brought the line is the culprit', () => {
    const told = given(ID, component).facts(
      line('CacheLineFilled', PA - 2048),
      line('CacheLineFilled'),
      deviceWrote,
    );
    const rule = 'a CPU has read a line that is older than what a device wrote';
    told.heard(line('StaleLineRead')).gives(report(rule, 1, 3) as never);
  });

  it('a write-back over what the device wrote is told of; the last store is the culprit', () => {
    const rule = 'a write-back has overwritten what a device wrote';
    const told = given(ID, component).facts(
      line('CacheLineFilled'),
      line('CacheLineDirtied'),
      deviceWrote,
      line('CacheLineWrittenBack'),
    );
    told.heard(line('StaleLineWrittenBack')).gives(report(rule, 1, 4) as never);
  });

  it('lines may come, be written back and grow old: nobody has read them', () => {
    const told = given(ID, component).facts(line('CacheLineFilled'), line('CacheLineDirtied'));
    told.heard(line('CacheLineWrittenBack')).gives();
    told.heard(deviceWrote).gives();
  });
});
