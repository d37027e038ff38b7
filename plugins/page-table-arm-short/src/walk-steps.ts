import { FaultKind } from '@tablewalk/contracts';
import type { DescriptorMeaning, WalkSteps } from '@tablewalk/contracts';
import { FaultStatus, sectionFlags, smallPageFlags } from './descriptors.ts';

/**
 * TranslationTableWalkSD of the ARM ARM (DDI 0406C B3.19.6, TTBCR.N = 0, SCTLR.AFE = 0), one descriptor at a
 * time: what `shortWalker` does in one go. A property test holds the two together.
 */
export const shortWalkSteps: WalkSteps = {
  wordBytes: 4,
  begin: (ttbr, va) => ({ kind: 'table', pa: ttbr + Math.floor(va / 2 ** 20) * 4, level: 1, inherited: 0 }),
  descend: ({ level }, va, word) => (level === 1 ? firstLevel(word, va) : secondLevel(word)),
  permission: (pageShift) =>
    pageShift >= 20
      ? { status: FaultStatus.permissionL1, level: 1 }
      : { status: FaultStatus.permissionL2, level: 2 },
};

function firstLevel(descriptor: number, va: number): DescriptorMeaning {
  const type = descriptor & 0b11;
  if (type === 0b10) {
    const pfn = (descriptor & 0xfff00000) >>> 12;
    return { kind: 'page', pfn, pageShift: 20, flags: sectionFlags(descriptor) };
  }
  if (type !== 0b01) return translationFault(FaultStatus.translationL1, 1);
  const entry = Math.floor(va / 4096) % 256;
  return { kind: 'table', pa: ((descriptor & 0xfffffc00) >>> 0) + entry * 4, level: 2, inherited: 0 };
}

function secondLevel(descriptor: number): DescriptorMeaning {
  if ((descriptor & 0b10) === 0) return translationFault(FaultStatus.translationL2, 2);
  return { kind: 'page', pfn: descriptor >>> 12, pageShift: 12, flags: smallPageFlags(descriptor) };
}

const translationFault = (status: number, level: number): DescriptorMeaning => ({
  kind: 'fault',
  fault: FaultKind.translation,
  status,
  level,
});
