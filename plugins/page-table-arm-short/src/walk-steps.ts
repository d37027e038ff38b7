import { FaultKind } from '@tablewalk/contracts';
import type { DescriptorMeaning, WalkSteps } from '@tablewalk/contracts';
import { FaultStatus, sectionFlags, smallPageFlags } from './descriptors.ts';

/**
 * TranslationTableWalkSD of the ARM ARM (DDI 0406C B3.19.6, TTBCR.N = 0, SCTLR.AFE = 0), one descriptor at a
 * time: what `shortWalker` does in one go. A property test holds the two together.
 */
export const shortWalkSteps: WalkSteps = {
  begin: (ttbr, va) => ({ pa: ttbr + Math.floor(va / 2 ** 20) * 4, level: 1 }),
  descend: (level, descriptor, va) => (level === 1 ? firstLevel(descriptor, va) : secondLevel(descriptor)),
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
  if (type !== 0b01) return translationFault(FaultStatus.translationL1);
  const entry = Math.floor(va / 4096) % 256;
  return { kind: 'table', pa: ((descriptor & 0xfffffc00) >>> 0) + entry * 4 };
}

function secondLevel(descriptor: number): DescriptorMeaning {
  if ((descriptor & 0b10) === 0) return translationFault(FaultStatus.translationL2);
  return { kind: 'page', pfn: descriptor >>> 12, pageShift: 12, flags: smallPageFlags(descriptor) };
}

const translationFault = (status: number): DescriptorMeaning => ({
  kind: 'fault',
  fault: FaultKind.translation,
  status,
});
