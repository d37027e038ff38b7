/** By story and variant: without reductions, and with all. The last number is the shortest witness; 0: none. */
type Found = readonly [verdict: string, states: number, steps: number];
export const PINNED: Readonly<Record<string, readonly [plain: Found, reduced: Found]>> = {
  'dma-speculation broken': [
    ['violated', 92, 9],
    ['violated', 67, 9],
  ],
  'dma-speculation repaired': [
    ['holds', 127, 0],
    ['holds', 99, 0],
  ],
  'dma-speculation no-speculation': [
    ['holds', 17, 0],
    ['holds', 14, 0],
  ],
  'first-table-leak if-low-vectors': [
    ['violated', 277, 22],
    ['violated', 277, 22],
  ],
  'first-table-leak always': [
    ['holds', 1509, 0],
    ['holds', 1509, 0],
  ],
  'first-table-leak low-vectors': [
    ['holds', 3239, 0],
    ['holds', 3239, 0],
  ],
  'first-table-leak always-low-vectors': [
    ['holds', 3239, 0],
    ['holds', 3239, 0],
  ],
  'half-pair livelock': [
    ['violated', 292, 13],
    ['violated', 284, 13],
  ],
  'half-pair false-oops': [
    ['violated', 57, 7],
    ['violated', 57, 7],
  ],
  'half-pair second-mapped': [
    ['holds', 4678, 0],
    ['holds', 4624, 0],
  ],
  'half-pair first-mapped': [
    ['holds', 4970, 0],
    ['holds', 4868, 0],
  ],
  'ioremap-sections-smp seq-up': [
    ['holds', 3263, 0],
    ['holds', 2981, 0],
  ],
  'ioremap-sections-smp seq-smp': [
    ['violated', 6908, 49],
    ['violated', 6273, 49],
  ],
  'ioremap-sections-smp ipi': [
    ['holds', 11769, 0],
    ['holds', 10996, 0],
  ],
  'ioremap-sections-smp ipi-open-switch': [
    ['violated', 22673, 48],
    ['violated', 20662, 48],
  ],
  'ioremap-sections-smp ipi-no-wait': [
    ['violated', 15369, 37],
    ['violated', 13888, 37],
  ],
  'ioremap-sections-smp ipi-irqs-off': [
    ['violated', 2061, 17],
    ['violated', 2043, 17],
  ],
  'ioremap-sections-smp pages-up': [
    ['holds', 1586, 0],
    ['holds', 1378, 0],
  ],
  'ioremap-sections-smp pages-smp': [
    ['holds', 2785, 0],
    ['holds', 2084, 0],
  ],
  'ioremap-sections-smp seq-up-tables': [
    ['holds', 3263, 0],
    ['holds', 2981, 0],
  ],
  'ioremap-sections-smp seq-smp-tables': [
    ['violated', 2556, 21],
    ['violated', 2303, 21],
  ],
  'ioremap-sections-smp ipi-tables': [
    ['holds', 11769, 0],
    ['holds', 10996, 0],
  ],
  'ioremap-sections-smp ipi-open-switch-tables': [
    ['violated', 21269, 32],
    ['violated', 19366, 32],
  ],
  'kmap-atomic-sleep sleeps': [
    ['violated', 20, 8],
    ['violated', 20, 8],
  ],
  'kmap-atomic-sleep named': [
    ['violated', 13, 6],
    ['violated', 13, 6],
  ],
  'kmap-atomic-sleep preempted': [
    ['violated', 7, 2],
    ['violated', 9, 2],
  ],
  'kmap-atomic-sleep astray': [
    ['violated', 58, 17],
    ['violated', 58, 17],
  ],
  'kmap-atomic-sleep other-type': [
    ['holds', 58, 0],
    ['holds', 58, 0],
  ],
  'kmap-atomic-sleep repaired': [
    ['holds', 114, 0],
    ['holds', 114, 0],
  ],
  'kmap-dma repaired': [
    ['holds', 197, 0],
    ['holds', 98, 0],
  ],
  'kmap-dma broken': [
    ['violated', 86, 5],
    ['violated', 45, 5],
  ],
  'kmap-high-get broken': [
    ['violated', 76, 15],
    ['violated', 73, 15],
  ],
  'kmap-high-get repaired': [
    ['holds', 246, 0],
    ['holds', 221, 0],
  ],
  'kmap-high-get irq-spins': [
    ['violated', 24, 3],
    ['violated', 18, 3],
  ],
  'kmap-high-get irq-safe': [
    ['holds', 222, 0],
    ['holds', 189, 0],
  ],
  'kunmap-atomic-pop broken': [
    ['violated', 65, 10],
    ['violated', 65, 10],
  ],
  'kunmap-atomic-pop corrupts': [
    ['violated', 65, 10],
    ['violated', 65, 10],
  ],
  'kunmap-atomic-pop repaired': [
    ['holds', 143, 0],
    ['holds', 143, 0],
  ],
  'lock-in-fault locks': [
    ['violated', 77, 10],
    ['violated', 77, 10],
  ],
  'lock-in-fault no-lock': [
    ['holds', 288, 0],
    ['holds', 288, 0],
  ],
  'lock-in-fault other-cpu': [
    ['holds', 390, 0],
    ['holds', 376, 0],
  ],
  'lpae-dying-pgd no-flag': [
    ['violated', 1821, 31],
    ['violated', 1821, 31],
  ],
  'lpae-dying-pgd freed-first': [
    ['violated', 197, 8],
    ['violated', 197, 8],
  ],
  'lpae-dying-pgd flag': [
    ['violated', 8418, 16],
    ['violated', 8418, 16],
  ],
  'lpae-dying-pgd long-walk': [
    ['violated', 1183, 18],
    ['violated', 1183, 18],
  ],
  'lpae-dying-pgd ceiling-up': [
    ['holds', 1676, 0],
    ['holds', 1676, 0],
  ],
  'lpae-dying-pgd ceiling': [
    ['holds', 28374, 0],
    ['holds', 28374, 0],
  ],
  'lpae-dying-pgd flag-up': [
    ['holds', 1841, 0],
    ['holds', 1841, 0],
  ],
  'lpae-first-pmd-leak v4': [
    ['violated', 39, 7],
    ['violated', 39, 7],
  ],
  'lpae-first-pmd-leak merged': [
    ['holds', 703, 0],
    ['holds', 703, 0],
  ],
  'lpae-first-pmd-leak no-ceiling': [
    ['holds', 797, 0],
    ['holds', 797, 0],
  ],
  'lpae-high-bits truncated': [
    ['violated', 1276, 44],
    ['violated', 1072, 44],
  ],
  'lpae-high-bits read-only': [
    ['violated', 121, 12],
    ['violated', 94, 12],
  ],
  'lpae-high-bits repaired': [
    ['holds', 4340, 0],
    ['holds', 3976, 0],
  ],
  'lpae-high-bits repaired-up': [
    ['holds', 1582, 0],
    ['holds', 1372, 0],
  ],
  'lpae-idmap empty': [
    ['violated', 371, 17],
    ['violated', 371, 17],
  ],
  'lpae-idmap through': [
    ['violated', 10, 2],
    ['violated', 10, 2],
  ],
  'lpae-idmap copy': [
    ['holds', 700, 0],
    ['holds', 700, 0],
  ],
  'lpae-shared-pmd shared': [
    ['violated', 72, 15],
    ['violated', 72, 15],
  ],
  'lpae-shared-pmd shared-leak': [
    ['violated', 29, 28],
    ['violated', 29, 28],
  ],
  'lpae-shared-pmd merged': [
    ['holds', 140, 0],
    ['holds', 140, 0],
  ],
  'lpae-shared-pmd four-pmd': [
    ['holds', 160, 0],
    ['holds', 160, 0],
  ],
  'lpae-shared-pmd shared-below': [
    ['holds', 120, 0],
    ['holds', 120, 0],
  ],
  'mismatched-attributes coherent-alias': [
    ['violated', 37, 11],
    ['violated', 33, 11],
  ],
  'mismatched-attributes coherent-remapped': [
    ['holds', 20, 0],
    ['holds', 20, 0],
  ],
  'mismatched-attributes coherent-flush-first': [
    ['violated', 28, 12],
    ['violated', 25, 12],
  ],
  'mismatched-attributes coherent-past-caches': [
    ['holds', 38, 0],
    ['holds', 34, 0],
  ],
  'mismatched-attributes boot-non-shareable': [
    ['violated', 26, 5],
    ['violated', 25, 5],
  ],
  'mismatched-attributes boot-not-snooped': [
    ['violated', 46, 6],
    ['violated', 44, 6],
  ],
  'mismatched-attributes boot-shareable': [
    ['holds', 128, 0],
    ['holds', 118, 0],
  ],
  'mismatched-attributes ioremap-of-ram': [
    ['violated', 9, 3],
    ['violated', 9, 3],
  ],
  'mismatched-attributes ioremap-refused': [
    ['holds', 5, 0],
    ['holds', 5, 0],
  ],
  'mismatched-attributes ioremap-stolen': [
    ['holds', 5, 0],
    ['holds', 5, 0],
  ],
  'mmu-gather-protocol repaired': [
    ['holds', 188, 0],
    ['holds', 110, 0],
  ],
  'mmu-gather-protocol broken': [
    ['violated', 187, 5],
    ['violated', 108, 5],
  ],
  'peterson repaired': [
    ['holds', 146, 0],
    ['holds', 146, 0],
  ],
  'peterson reordered': [
    ['violated', 75, 8],
    ['violated', 75, 8],
  ],
  'peterson no-turn': [
    ['violated', 10, 2],
    ['violated', 10, 2],
  ],
  'pkmap-protocol repaired': [
    ['holds', 7276, 0],
    ['holds', 2056, 0],
  ],
  'pkmap-protocol bug-1': [
    ['violated', 6615, 29],
    ['violated', 1868, 29],
  ],
  'pkmap-protocol bug-2': [
    ['violated', 7024, 25],
    ['violated', 1984, 25],
  ],
  'pte-no-dsb no-dsb': [
    ['violated', 12, 4],
    ['violated', 9, 4],
  ],
  'pte-no-dsb dsb': [
    ['holds', 36, 0],
    ['holds', 29, 0],
  ],
  'pte-no-dsb no-clean': [
    ['violated', 12, 5],
    ['violated', 9, 5],
  ],
  'pte-no-dsb removal-no-clean': [
    ['violated', 37, 13],
    ['violated', 27, 13],
  ],
  'pte-no-dsb removal-no-dsb': [
    ['violated', 49, 15],
    ['violated', 34, 15],
  ],
  'pte-no-dsb coherent-walker': [
    ['holds', 45, 0],
    ['holds', 38, 0],
  ],
  'pte-no-dsb coherent-no-dsb': [
    ['violated', 9, 3],
    ['violated', 8, 3],
  ],
  'seqlock repaired': [
    ['holds', 10875, 0],
    ['holds', 3847, 0],
  ],
  'seqlock broken': [
    ['violated', 902, 10],
    ['violated', 315, 10],
  ],
  'shoot6x2 repaired': [
    ['holds', 195981, 0],
    ['holds', 59441, 0],
  ],
  'shoot6x2 no-ipi': [
    ['violated', 104, 2],
    ['violated', 56, 2],
  ],
  'shoot6x2 no-wait': [
    ['violated', 19345, 8],
    ['violated', 7134, 8],
  ],
  'shoot6x2 any-order': [
    ['holds', 814782, 0],
    ['holds', 5049, 0],
  ],
  'ticket-lock repaired': [
    ['holds', 723, 0],
    ['holds', 138, 0],
  ],
  'ticket-lock broken': [
    ['violated', 444, 8],
    ['violated', 94, 8],
  ],
  'unmap-free-race broken-ipi': [
    ['violated', 366, 11],
    ['violated', 513, 11],
  ],
  'unmap-free-race broken-tlbi': [
    ['violated', 366, 11],
    ['violated', 456, 11],
  ],
  'unmap-free-race repaired-ipi': [
    ['holds', 1432, 0],
    ['holds', 1408, 0],
  ],
  'unmap-free-race repaired-tlbi': [
    ['holds', 1108, 0],
    ['holds', 952, 0],
  ],
  'vmap-stack lazy-fault-only': [
    ['violated', 57, 25],
    ['violated', 49, 25],
  ],
  'vmap-stack seq-and-hook': [
    ['holds', 1192, 0],
    ['holds', 871, 0],
  ],
  'vmap-stack no-hook': [
    ['violated', 49, 24],
    ['violated', 41, 24],
  ],
  'vmap-stack same-process': [
    ['violated', 49, 24],
    ['violated', 41, 24],
  ],
  'vmap-stack dummy-read': [
    ['holds', 8587, 0],
    ['holds', 5825, 0],
  ],
  'vmap-stack dummy-read-only': [
    ['violated', 383, 39],
    ['violated', 284, 39],
  ],
  'vmap-stack added-beside': [
    ['violated', 3009, 32],
    ['violated', 2878, 32],
  ],
  'vmap-stack added-beside-read': [
    ['holds', 15628, 0],
    ['holds', 13847, 0],
  ],
  'vmap-stack added-beside-back': [
    ['violated', 19144, 50],
    ['violated', 16371, 50],
  ],
  'vmap-stack error-path': [
    ['violated', 77, 35],
    ['violated', 68, 35],
  ],
  'vmap-stack error-path-synced': [
    ['holds', 443, 0],
    ['holds', 334, 0],
  ],
  'vmap-stack relaxed': [
    ['violated', 1068, 37],
    ['violated', 838, 37],
  ],
  'vmap-stack acquire': [
    ['holds', 2045, 0],
    ['holds', 1524, 0],
  ],
};
