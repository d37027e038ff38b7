import type { VocabularyFact } from '@tablewalk/contracts';
import { given } from '@tablewalk/testkit';
import { describe, it } from 'vitest';
import { ID, kernelMappingDivergence } from './kernel-mapping-divergence.ts';

const { component } = kernelMappingDivergence();
const VA = 0xf080_0000;
const [DEV1, DEV2] = [0x4000_0000, 0x4040_0000];
const MIB = 2 ** 20;

const mapped = (pa: number, va = VA, bytes = 2 * MIB): VocabularyFact => ({
  type: 'DeviceMapped',
  va,
  pa,
  bytes,
});
const unmapped = (pa: number, va = VA, bytes = 2 * MIB): VocabularyFact => ({
  type: 'DeviceUnmapped',
  va,
  pa,
  bytes,
});
const reached = (pa: number, va = VA): { cpu: number; fact: VocabularyFact } => ({
  cpu: 1,
  fact: { type: 'AccessPerformed', cpu: 1, mm: 2, va, pa, write: true },
});
const report = (rule: string, culprit: number, evidence: number, pa: number, va = VA): never =>
  ({
    to: ID,
    type: 'ReportViolation',
    violation: {
      type: 'PropertyViolated',
      checker: ID,
      rule,
      cpu: 1,
      culprit,
      evidence,
      va,
      pfn: Math.floor(pa / 4096),
    },
  }) as never;
const OTHER = 'an address led to another device than the one that is mapped there';
const ENDED = 'a device was reached after its mapping had ended';

/** spec/ioremap.md, 3, IO-1. */
describe(ID, () => {
  it('an address leads to its device, byte by byte', () => {
    const told = given(ID, component).facts(mapped(DEV1));
    told.heard(reached(DEV1)).gives();
    told.heard(reached(DEV1 + 0x12_3456, VA + 0x12_3456)).gives();
    told.heard(reached(DEV1, VA + 4)).gives(report(OTHER, 0, 3, DEV1, VA + 4));
  });

  it('after iounmap no device is reached, and the fact that ended the mapping is the culprit', () => {
    given(ID, component)
      .facts(mapped(DEV1), unmapped(DEV1))
      .heard(reached(DEV1))
      .gives(report(ENDED, 1, 2, DEV1));
  });

  it('where another device is mapped, the old one is the wrong one', () => {
    const told = given(ID, component).facts(mapped(DEV1), unmapped(DEV1), mapped(DEV2));
    told.heard(reached(DEV2)).gives();
    told.heard(reached(DEV1)).gives(report(OTHER, 2, 4, DEV1));
  });

  it('what a smaller mapping leaves of an old range is still nobody’s', () => {
    const told = given(ID, component).facts(
      mapped(DEV1),
      unmapped(DEV1),
      mapped(DEV2, VA + 4096, 4096),
      mapped(DEV2, VA + MIB, MIB),
    );
    told.holds([
      { va: VA, bytes: 4096, pa: DEV1, mapped: false, since: 1 },
      { va: VA + 4096, bytes: 4096, pa: DEV2, mapped: true, since: 2 },
      { va: VA + 8192, bytes: MIB - 8192, pa: DEV1 + 8192, mapped: false, since: 1 },
      { va: VA + MIB, bytes: MIB, pa: DEV2, mapped: true, since: 3 },
    ]);
    told.heard(reached(DEV1 + 8192, VA + 8192)).gives(report(ENDED, 1, 4, DEV1 + 8192, VA + 8192));
  });

  it('has nothing to say of addresses that were never mapped', () => {
    given(ID, component).heard(reached(0x8000_0000, 0xc000_0000)).gives();
  });
});
